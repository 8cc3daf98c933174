package org.iommu4j.machine.fake;

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

/** The smallest architecture that can be: a table of pointers to lists of ranges. */
public final class FakeArchitecture implements Architecture {
  /** Why the fake blocks. */
  enum Reason implements FaultReason {
    NO_CONTEXT,
    NOT_MAPPED,
    NOT_PERMITTED;

    @Override
    public int code() {
      return ordinal() + 1;
    }

    @Override
    public String title() {
      return name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    }

    @Override
    public String advice() {
      return "Look at the tables.";
    }
  }

  @Override
  public String id() {
    return "fake";
  }

  @Override
  public String title() {
    return "Fake";
  }

  @Override
  public String specification() {
    return "this class";
  }

  @Override
  public List<Option> options() {
    return List.of(
        new Option("cache", "off|normal|worst-case", "normal", "Ignored."),
        new Option("level", "number", "1", "Ignored."));
  }

  @Override
  public List<? extends FaultReason> faultReasons() {
    return List.of(Reason.values());
  }

  @Override
  public Collection<Register> registers() {
    return List.of(Register.of64("table", 0));
  }

  @Override
  public int sourceBits() {
    return 16;
  }

  @Override
  public long interruptAddress(int cpu) {
    return 0x2000_0000L + 4096L * cpu;
  }

  @Override
  public Iommu create(Options options, Host host) {
    options.choice("cache", CacheBehaviour.class, CacheBehaviour.NORMAL);
    options.integer("level", 1, 1, 9);
    options.finish(options().stream().map(Option::name).toList());
    return new FakeIommu(host.memory());
  }

  @Override
  public Iommu restore(RegisterImage image, CacheBehaviour cache, Host host) {
    FakeIommu unit = new FakeIommu(host.memory());
    unit.write(FakeIommu.TABLE, 8, image.get64(FakeIommu.TABLE));
    return unit;
  }

  @Override
  public boolean recognizes(RegisterImage image) {
    return image.name().startsWith("fake");
  }
}
