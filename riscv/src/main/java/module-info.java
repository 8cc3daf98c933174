/** The RISC-V IOMMU: its model, and the driver that programs it. */
module org.iommu4j.riscv {
  requires static transitive org.jspecify;
  requires transitive org.iommu4j.core;
  requires transitive org.iommu4j.driver;

  exports org.iommu4j.riscv;
  exports org.iommu4j.riscv.firmware;
  exports org.iommu4j.riscv.layout;

  provides org.iommu4j.core.Architecture with
      org.iommu4j.riscv.RiscvArchitecture;
  provides org.iommu4j.driver.Workload with
      org.iommu4j.riscv.workload.NestedRandomPages;
  provides org.iommu4j.driver.DriverProvider with
      org.iommu4j.riscv.driver.RiscvDriverProvider;
  provides org.iommu4j.core.KernelLog with
      org.iommu4j.riscv.linux.RiscvKernelLog;
}
