/** The portable software side: domains, mapping, attachment, fault handling. */
module org.iommu4j.driver {
  requires static org.jspecify;
  requires transitive org.iommu4j.core;
}
