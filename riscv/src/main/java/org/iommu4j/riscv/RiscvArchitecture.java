package org.iommu4j.riscv;

import java.util.Collection;
import java.util.List;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.Registers;
import org.iommu4j.riscv.model.Units;

/** The RISC-V IOMMU as an architecture. */
public final class RiscvArchitecture implements Architecture {
  /** For the service loader. */
  public RiscvArchitecture() {}

  @Override
  public String id() {
    return "riscv";
  }

  @Override
  public String title() {
    return "RISC-V IOMMU";
  }

  @Override
  public String specification() {
    return "RISC-V IOMMU Architecture Specification 1.0.1 line, release 20260222";
  }

  @Override
  public List<Option> options() {
    return Units.options();
  }

  @Override
  public List<? extends FaultReason> faultReasons() {
    return List.of(Cause.values());
  }

  @Override
  public Collection<Register> registers() {
    return Registers.ALL;
  }

  @Override
  public int sourceBits() {
    return 24;
  }

  /**
   * {@inheritDoc}
   *
   * <p>Choice: the supervisor-level interrupt files of harts lie as on QEMU's machine, a page each.
   */
  @Override
  public long interruptAddress(int cpu) {
    return 0x2800_0000L + ((long) cpu << 12);
  }

  @Override
  public Iommu create(Options options, Host host) {
    return Units.create(options, host);
  }

  @Override
  public Iommu restore(RegisterImage image, CacheBehaviour cache, Host host) {
    return Units.restore(image, cache, host);
  }

  @Override
  public boolean recognizes(RegisterImage image) {
    long capabilities = image.get64(Capabilities.REGISTER.offset());
    int pas = Capabilities.PAS.getInt(capabilities);
    return Capabilities.VERSION.get(capabilities) == 0x10 && pas >= 32 && pas <= 56;
  }
}
