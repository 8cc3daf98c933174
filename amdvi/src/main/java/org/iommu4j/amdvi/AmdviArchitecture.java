package org.iommu4j.amdvi;

import java.util.Collection;
import java.util.List;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.amdvi.model.Units;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptBus;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.iotlb.CacheBehaviour;

/** AMD-Vi as an architecture. */
public final class AmdviArchitecture implements Architecture {
  /** For the service loader. */
  public AmdviArchitecture() {}

  @Override
  public String id() {
    return "amdvi";
  }

  @Override
  public String title() {
    return "AMD-Vi";
  }

  @Override
  public String specification() {
    return "AMD I/O Virtualization Technology (IOMMU) Specification, publication 48882";
  }

  @Override
  public List<Option> options() {
    return Units.options();
  }

  @Override
  public List<? extends FaultReason> faultReasons() {
    return List.of(Reason.values());
  }

  @Override
  public Collection<Register> registers() {
    return Registers.ALL;
  }

  @Override
  public int sourceBits() {
    return 16;
  }

  @Override
  public long interruptAddress(int cpu) {
    return InterruptBus.address(cpu);
  }

  @Override
  public int interruptIdentity(int data) {
    return InterruptBus.vector(data);
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
    // The device table's base has no bits of others' version registers, and the rings have lengths.
    long table = image.get64(Registers.DEVICE_TABLE.offset());
    long commands = image.get64(Registers.COMMAND_BUFFER.offset());
    long efr = image.get64(ExtendedFeatures.REGISTER.offset());
    boolean device =
        table >>> 52 == 0 && (table & 0xe00) == 0 && Registers.DEV_TAB_BASE.isSet(table);
    return device && (commands & 0xfff) == 0 && Registers.RING_LEN.get(commands) >= 8 && efr != 0;
  }
}
