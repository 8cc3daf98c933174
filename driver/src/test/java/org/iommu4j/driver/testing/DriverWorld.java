package org.iommu4j.driver.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.testing.IntervalMap;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.Domain.Batch;
import org.iommu4j.driver.DomainType;

/** A driver, and beside it what devices should be able to do. */
public abstract class DriverWorld implements AutoCloseable {
  private static final int NONE = DmaRequest.NO_PASID;

  /** Domains by number: all of them are made anew by {@link Step.Reopen}. */
  private static final List<DomainType> TYPES =
      List.of(
          DomainType.DMA_STRICT, DomainType.DMA_STRICT, DomainType.IDENTITY, DomainType.BLOCKED);

  static final int DOMAINS = TYPES.size();

  private record Who(int source, int pasid) {}

  protected final DriverRig rig;
  private final Places places;
  private final List<Domain> domains = new ArrayList<>();
  private final List<IntervalMap> maps = new ArrayList<>();
  private final Map<Who, Integer> attached = new HashMap<>();

  /** Addresses that matter by now: ends of everything that was ever mapped or unmapped. */
  private final Set<Long> probes = new LinkedHashSet<>();

  protected DriverWorld(DriverRig rig, Places places) {
    this.rig = rig;
    this.places = places;
    for (DomainType t : TYPES) {
      domains.add(rig.driver.createDomain(t));
      maps.add(new IntervalMap());
    }
    probes.add(places.first());
  }

  /** The accesses that are tried. */
  protected abstract List<Integer> accesses();

  /** What a page that is mapped with these permissions grants. */
  protected abstract int granted(int permissions);

  /** Whether an identity domain leads from here to here: else it is not looked at. */
  protected boolean leadsToItself(long iova) {
    return true;
  }

  /** Whether requests with PASID cannot be attached to a domain of that type. */
  protected boolean refusesPasids(DomainType type) {
    return false;
  }

  private static boolean translates(int domain) {
    return TYPES.get(domain) == DomainType.DMA_STRICT;
  }

  private boolean hasPasids() {
    return rig.driver.capabilities().pasidBits() > 0;
  }

  private void probe(long iova, long size) {
    if (probes.size() < 60) {
      probes.addAll(List.of(iova - 0x1000, iova, iova + size - 0x1000, iova + size));
    }
  }

  final void play(Step step) {
    switch (step) {
      case Step.Map m -> map(m);
      case Step.Unmap u -> unmap(u);
      case Step.Remap m -> remap(m);
      case Step.Attach a -> attach(a);
      case Step.Detach d -> detach(d);
      case Step.Reopen r -> {
        domains.get(r.domain()).close();
        domains.set(r.domain(), rig.driver.createDomain(TYPES.get(r.domain())));
        maps.set(r.domain(), new IntervalMap());
        attached.values().removeIf(d -> d == r.domain());
      }
    }
  }

  private void attach(Step.Attach a) {
    Domain domain = domains.get(a.domain());
    if (a.pasid() == NONE) {
      domain.attach(a.source());
    } else if (!hasPasids()) {
      assertThatThrownBy(() -> domain.attach(a.source(), a.pasid()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("PASID");
      return;
    } else if (refusesPasids(TYPES.get(a.domain()))) {
      assertThatThrownBy(() -> domain.attach(a.source(), a.pasid()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("guest tables");
      return;
    } else {
      domain.attach(a.source(), a.pasid());
    }
    attached.put(new Who(a.source(), a.pasid()), a.domain());
  }

  private void detach(Step.Detach d) {
    if (d.pasid() == NONE) {
      domains.get(d.domain()).detach(d.source());
    } else if (hasPasids()) {
      domains.get(d.domain()).detach(d.source(), d.pasid());
    }
    attached.remove(new Who(d.source(), d.pasid()), d.domain());
  }

  private void map(Step.Map m) {
    Domain domain = domains.get(m.domain());
    IntervalMap map = maps.get(m.domain());
    if (!translates(m.domain()) || map.overlaps(m.iova(), m.size())) {
      assertThatThrownBy(() -> domain.map(m.iova(), m.pa(), m.size(), m.permissions()))
          .isInstanceOf(IllegalStateException.class);
      return;
    }
    domain.map(m.iova(), m.pa(), m.size(), m.permissions());
    map.map(m.iova(), m.size(), m.pa(), granted(m.permissions()));
    probe(m.iova(), m.size());
  }

  private void unmap(Step.Unmap u) {
    Domain domain = domains.get(u.domain());
    IntervalMap map = maps.get(u.domain());
    if (!translates(u.domain())) {
      assertThatThrownBy(() -> domain.unmap(u.iovas().getFirst(), u.size()))
          .isInstanceOf(IllegalStateException.class);
      return;
    }
    if (u.iovas().size() == 1) {
      long iova = u.iovas().getFirst();
      assertThat(domain.unmap(iova, u.size())).isEqualTo(map.unmap(iova, u.size()));
    } else {
      try (Batch batch = domain.batch()) {
        for (long iova : u.iovas()) {
          assertThat(batch.unmap(iova, u.size())).isEqualTo(map.unmap(iova, u.size()));
        }
      }
    }
    u.iovas().forEach(iova -> probe(iova, u.size()));
  }

  private void remap(Step.Remap m) {
    if (!translates(m.domain())) {
      return;
    }
    Domain domain = domains.get(m.domain());
    IntervalMap map = maps.get(m.domain());
    try (Batch batch = domain.batch()) {
      assertThat(batch.unmap(m.iova(), m.size())).isEqualTo(map.unmap(m.iova(), m.size()));
      domain.map(m.iova(), m.pa(), m.size(), Access.READ);
      map.map(m.iova(), m.size(), m.pa(), Access.READ);
      probe(m.iova(), m.size());
      check();
    }
  }

  /** Every device, with and without PASID, at every address that matters. */
  final void check() {
    for (int d = 0; d < DOMAINS; d++) {
      assertThat(domains.get(d).mapped()).isEqualTo(maps.get(d).mapped());
    }
    for (int source : places.sources()) {
      check(source, NONE);
      for (int pasid : places.pasids()) {
        check(source, pasid);
      }
    }
  }

  private void check(int source, int pasid) {
    Integer domain = attached.get(new Who(source, pasid));
    for (long iova : probes) {
      if (iova >= 0) {
        check(source, pasid, iova, domain);
      }
    }
    rig.newFaults();
  }

  private void check(int source, int pasid, long iova, Integer domain) {
    DomainType type = domain == null ? DomainType.BLOCKED : TYPES.get(domain);
    long target = Domain.UNMAPPED;
    int permissions = 0;
    if (type == DomainType.IDENTITY) {
      if (!leadsToItself(iova)) {
        return;
      }
      target = iova;
      permissions = Access.READ | Access.WRITE | Access.EXECUTE;
    } else if (type == DomainType.DMA_STRICT) {
      target = maps.get(domain).target(iova);
      permissions = target == Domain.UNMAPPED ? 0 : maps.get(domain).at(iova).permissions();
      assertThat(domains.get(domain).iovaToPhys(iova)).isEqualTo(target);
    }
    for (int access : accesses()) {
      // Who fetches asks for reading, too: execute permission alone decides.
      int needed = (access & Access.EXECUTE) != 0 ? Access.EXECUTE : access;
      boolean passes = rig.translate(source, pasid, iova, access);
      String what =
          "device 0x%x pasid %d %s of 0x%x in domain %s"
              .formatted(source, pasid, Access.describe(access), iova, domain);
      assertThat(passes).as(what).isEqualTo((permissions & needed) != 0);
      if (passes) {
        assertThat(rig.translation.pa()).as(what).isEqualTo(target);
        if (type == DomainType.DMA_STRICT) {
          checkRange(what, iova, maps.get(domain));
        }
      }
    }
  }

  /** The range that the unit claims leads where it says, to its last byte. */
  private void checkRange(String what, long iova, IntervalMap map) {
    long range = 1L << rig.translation.rangeShift();
    long first = iova & -range;
    IntervalMap.Run run = map.at(first);
    assertThat(run).as("range of " + what).isNotNull();
    assertThat(run.end()).as("range of " + what).isGreaterThanOrEqualTo(first + range);
  }

  @Override
  public final void close() {
    rig.close();
  }
}
