/** The portable driver API: domains, map and unmap, attach, PASID, faults. */
module org.iommu4j.driver {
  requires transitive org.iommu4j.core;
  requires static transitive org.jspecify;

  exports org.iommu4j.driver;
  exports org.iommu4j.driver.support;

  uses org.iommu4j.driver.DriverProvider;
}
