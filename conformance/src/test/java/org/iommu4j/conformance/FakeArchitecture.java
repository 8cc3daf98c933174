package org.iommu4j.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.iotlb.CacheBehaviour;

/** An architecture that is just enough to see the runner at work; see {@link FakeIommu}. */
final class FakeArchitecture implements Architecture {
  static final Register STATUS =
      Register.of32("status", 0x4c, Field.bit("on", 0), Field.bits("count", 15, 8));

  /** What the units were built with, in order. */
  final List<CacheBehaviour> caches = new ArrayList<>();

  /** Whether they were to have the quirk, in order. */
  final List<Boolean> quirks = new ArrayList<>();

  /** The faults of a {@link FakeIommu}. */
  enum Reason implements FaultReason {
    FORBIDDEN;

    @Override
    public int code() {
      return 13;
    }

    @Override
    public String title() {
      return "Forbidden";
    }

    @Override
    public String advice() {
      return "";
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
    return "";
  }

  @Override
  public List<Option> options() {
    return List.of();
  }

  @Override
  public List<Reason> faultReasons() {
    return List.of(Reason.values());
  }

  @Override
  public List<Register> registers() {
    return List.of(STATUS);
  }

  @Override
  public int sourceBits() {
    return 24;
  }

  @Override
  public long interruptAddress(int cpu) {
    return 0x2000_0000L + 4096L * cpu;
  }

  @Override
  public synchronized Iommu create(Options options, Host host) {
    caches.add(options.choice("cache", CacheBehaviour.class, CacheBehaviour.NORMAL));
    quirks.add(options.flag("quirk", false));
    if (options.number("capabilities", 0) == 0xbad) {
      options.finish(List.of("none"));
    }
    return new FakeIommu(host, new TreeMap<>());
  }

  @Override
  public Iommu restore(RegisterImage image, CacheBehaviour cache, Host host) {
    return new FakeIommu(host, new TreeMap<>(image.words()));
  }

  @Override
  public boolean recognizes(RegisterImage image) {
    return image.get32(0) == 0xfa4e;
  }
}
