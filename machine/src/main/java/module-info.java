/** A platform: fabric, endpoints, interrupt targets, scenarios. */
module org.iommu4j.machine {
  requires static org.jspecify;
  requires transitive org.iommu4j.core;
  requires transitive org.iommu4j.driver;
  requires com.networknt.schema;
  requires jdk.management;
  requires tools.jackson.databind;
  requires tools.jackson.dataformat.yaml;

  exports org.iommu4j.machine;
  exports org.iommu4j.machine.capture;
  exports org.iommu4j.machine.description;
  exports org.iommu4j.machine.measure;
  exports org.iommu4j.machine.reach;
  exports org.iommu4j.machine.scenario;

  uses org.iommu4j.driver.Workload;
}
