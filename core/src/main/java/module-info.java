/** The vocabulary of iommu4j: memory, registers, requests, translations, faults, caches. */
module org.iommu4j.core {
  requires static transitive org.jspecify;

  exports org.iommu4j.core;
  exports org.iommu4j.core.acpi;
  exports org.iommu4j.core.bits;
  exports org.iommu4j.core.dma;
  exports org.iommu4j.core.iotlb;
  exports org.iommu4j.core.memory;
  exports org.iommu4j.core.unit;

  uses org.iommu4j.core.Architecture;
  uses org.iommu4j.core.KernelLog;
  uses org.iommu4j.core.SysfsDecoder;
}
