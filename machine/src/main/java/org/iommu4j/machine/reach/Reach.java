package org.iommu4j.machine.reach;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.machine.Endpoint;
import org.iommu4j.machine.Resource;

/**
 * Everything that one requester reaches, by the tables.
 *
 * @param endpoint the device
 * @param pasid its PASID, or {@link org.iommu4j.core.dma.DmaRequest#NO_PASID}
 * @param view what the unit's tables say
 */
public record Reach(Endpoint endpoint, int pasid, Inspector.View view) {
  /** {@code device} or {@code device/pasid}. */
  public String label() {
    return endpoint.label(pasid);
  }

  /** Whether addresses pass unchanged: all of the platform is in reach. */
  public boolean everything() {
    return view.reach() == Inspector.Reach.IDENTITY;
  }

  /** Bytes of device addresses that lead somewhere; meaningless where {@link #everything}. */
  public long bytes() {
    return view.mappings().stream().mapToLong(Inspector.Mapping::size).sum();
  }

  /** The physical addresses reached with at least one of the permissions. */
  Spans physical(int permissions) {
    if (everything()) {
      return Spans.union(List.of(new Spans.Span(0, -1L)));
    }
    List<Spans.Span> all = new ArrayList<>();
    for (Inspector.Mapping m : view.mappings()) {
      if ((m.permissions() & permissions) != 0) {
        all.add(new Spans.Span(m.pa(), m.pa() + m.size() - 1));
      }
    }
    return Spans.union(all);
  }

  /** What is reached of a resource. */
  public Cell of(Resource resource) {
    Spans wanted = Spans.of(resource.base(), resource.size());
    int permissions = 0;
    List<Spans.Span> all = new ArrayList<>();
    for (int bit : new int[] {Access.READ, Access.WRITE, Access.EXECUTE}) {
      Spans reached = wanted.and(physical(bit));
      if (!reached.isEmpty()) {
        permissions |= bit;
        all.addAll(reached.list());
      }
    }
    return new Cell(permissions, Spans.union(all).bytes());
  }

  /**
   * What a requester reaches of a resource.
   *
   * @param permissions {@link Access} bits, each somewhere in the resource
   * @param bytes how much of it, with any of them
   */
  public record Cell(int permissions, long bytes) {}
}
