package org.iommu4j.vtd;

import java.util.Collection;
import java.util.List;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptBus;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.Registers;
import org.iommu4j.vtd.model.Units;

/** Intel VT-d as an architecture. */
public final class VtdArchitecture implements Architecture {
  /** For the service loader. */
  public VtdArchitecture() {}

  @Override
  public String id() {
    return "vtd";
  }

  @Override
  public String title() {
    return "Intel VT-d";
  }

  @Override
  public String specification() {
    return "Intel VT-d Architecture Specification, revision 5.10";
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
    long version = image.get32(Registers.VER.offset());
    long cap = image.get64(Capability.REGISTER.offset());
    boolean major = version >>> 8 == 0 && Registers.MAX.get(version) != 0;
    return major && Capability.ND.get(cap) != 7 && Capability.MGAW.get(cap) >= 31;
  }
}
