package org.iommu4j.driver.support;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.ReservedRegion;

/** Which {@link Fixture}s each device brings to a domain. Guarded by the driver's lock. */
final class DeviceFixtures {
  private final Map<Integer, List<Fixture>> bySource = new HashMap<>();

  void add(int source, Fixture f) {
    bySource.computeIfAbsent(source, s -> new ArrayList<>(2)).add(f);
  }

  /** Whether it was there. */
  boolean remove(int source, Fixture f) {
    List<Fixture> all = bySource.get(source);
    return all != null && all.remove(f);
  }

  /** All of a device: its direct regions, and what was added. */
  List<Fixture> of(Attachment who, List<ReservedRegion> regions) {
    if (who.hasPasid()) {
      return List.of(); // firmware and interrupt messages know no PASID
    }
    List<Fixture> all = new ArrayList<>(bySource.getOrDefault(who.source(), List.of()));
    for (ReservedRegion r : regions) {
      if (r.kind() == ReservedRegion.Kind.DIRECT) {
        all.add(Fixture.direct(r));
      }
    }
    return all;
  }

  /** All of them, or none. */
  static void hold(ManagedDomain<?> domain, List<Fixture> fixtures) {
    int held = 0;
    try {
      for (Fixture f : fixtures) {
        domain.hold(f);
        held++;
      }
    } catch (IllegalArgumentException | IllegalStateException | DriverException e) {
      release(domain, fixtures.subList(0, held), e);
      throw e;
    }
  }

  /** After something failed already. */
  static void release(ManagedDomain<?> domain, List<Fixture> fixtures, RuntimeException cause) {
    for (Fixture f : fixtures) {
      try {
        domain.release(f);
      } catch (DriverException e) {
        cause.addSuppressed(e);
      }
    }
  }
}
