/** The commands. */
module org.iommu4j.cli {
  requires static org.jspecify;
  requires info.picocli;
  requires org.iommu4j.conformance;
  requires org.iommu4j.core;
  requires org.iommu4j.driver;
  requires org.iommu4j.machine;
  requires tools.jackson.databind;
  requires tools.jackson.dataformat.yaml;

  opens org.iommu4j.cli to
      info.picocli;
}
