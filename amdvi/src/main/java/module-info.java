/** AMD-Vi, the AMD IOMMU: its model, and the driver that programs it. */
module org.iommu4j.amdvi {
  requires static transitive org.jspecify;
  requires transitive org.iommu4j.core;
  requires transitive org.iommu4j.driver;

  exports org.iommu4j.amdvi;
  exports org.iommu4j.amdvi.firmware;
  exports org.iommu4j.amdvi.layout;

  provides org.iommu4j.core.KernelLog with
      org.iommu4j.amdvi.linux.AmdviKernelLog;
  provides org.iommu4j.core.SysfsDecoder with
      org.iommu4j.amdvi.linux.AmdviSysfs;
  provides org.iommu4j.core.Architecture with
      org.iommu4j.amdvi.AmdviArchitecture;
  provides org.iommu4j.driver.DriverProvider with
      org.iommu4j.amdvi.driver.AmdviDriverProvider;
}
