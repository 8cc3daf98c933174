/** The RISC-V IOMMU: its model, and the driver that programs it. */
module org.iommu4j.riscv {
  requires static org.jspecify;
  requires transitive org.iommu4j.core;
  requires transitive org.iommu4j.driver;
}
