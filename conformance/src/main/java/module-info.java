/** Vectors and captures, and what runs them against the models. */
module org.iommu4j.conformance {
  requires static org.jspecify;
  requires transitive org.iommu4j.core;
  requires org.iommu4j.driver;
  requires transitive org.iommu4j.machine;
  requires tools.jackson.databind;
  requires tools.jackson.dataformat.yaml;

  exports org.iommu4j.conformance;
}
