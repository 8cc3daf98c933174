/** Intel VT-d: its model, and the driver that programs it. */
module org.iommu4j.vtd {
  requires static transitive org.jspecify;
  requires transitive org.iommu4j.core;
  requires transitive org.iommu4j.driver;

  exports org.iommu4j.vtd;
  exports org.iommu4j.vtd.firmware;
  exports org.iommu4j.vtd.layout;

  provides org.iommu4j.core.Architecture with
      org.iommu4j.vtd.VtdArchitecture;
  provides org.iommu4j.driver.DriverProvider with
      org.iommu4j.vtd.driver.VtdDriverProvider;
  provides org.iommu4j.core.KernelLog with
      org.iommu4j.vtd.linux.VtdKernelLog;
  provides org.iommu4j.core.SysfsDecoder with
      org.iommu4j.vtd.linux.VtdSysfs;
}
