package org.iommu4j.machine.reach;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.driver.DomainType;
import org.iommu4j.machine.Endpoint;
import org.iommu4j.machine.Ledger;
import org.iommu4j.machine.Platform;
import org.iommu4j.machine.Resource;
import org.iommu4j.machine.description.PlatformDescription.Mapping;
import org.iommu4j.machine.description.Units;

/**
 * The isolation of a platform at this moment: for every device and PASID what the tables let it
 * reach. The tables are the only source; the drivers' books serve to find where the two differ.
 */
public final class Isolation {
  /**
   * Where the tables differ from what the drivers were asked for.
   *
   * @param reach whose tables
   * @param excess true: in reach without having been asked for. False: asked for and not in reach
   * @param iova first device address
   * @param size bytes
   * @param pa where it leads or should lead
   * @param permissions {@link Access} bits
   */
  public record Difference(
      Reach reach, boolean excess, long iova, long size, long pa, int permissions) {
    /** One line for people. */
    @Override
    public String toString() {
      return "%s: %s at %s, %s to %s, %s"
          .formatted(
              reach.label(),
              Units.size(size),
              Units.address(iova),
              Access.permissions(permissions),
              Units.address(pa),
              excess
                  ? "is in reach although nothing was mapped so"
                  : "was mapped and is not in reach");
    }
  }

  /**
   * Memory that two requesters reach.
   *
   * @param bytes how much; {@link Long#MAX_VALUE} if both reach everything
   * @param writable how much of it at least one of them can write
   */
  public record Shared(Reach one, Reach other, long bytes, long writable) {}

  /**
   * For all requesters together. A thousand devices take less; tables that somebody made to be slow
   * (see {@link org.iommu4j.core.dma.RangeSearch}) take two seconds each, for 65,536 devices.
   */
  private static final long PATIENCE_NS = 20_000_000_000L;

  private final List<Reach> reaches;
  private final List<Resource> resources;
  private final List<Difference> differences;

  private Isolation(List<Reach> reaches, List<Resource> resources, List<Difference> differences) {
    this.reaches = List.copyOf(reaches);
    this.resources = List.copyOf(resources);
    this.differences = List.copyOf(differences);
  }

  /**
   * Looks at every device and PASID of the platform. Those that are still to be looked at after 20
   * seconds have no mappings, and are marked as truncated.
   *
   * @param limit at most so many mappings of each
   */
  public static Isolation of(Platform platform, int limit) {
    return of(platform, limit, System::nanoTime);
  }

  static Isolation of(Platform platform, int limit, LongSupplier clock) {
    long start = clock.getAsLong();
    List<Reach> reaches = new ArrayList<>();
    List<Difference> differences = new ArrayList<>();
    for (Endpoint endpoint : platform.endpoints()) {
      Inspector inspector = endpoint.unit().iommu().inspector();
      List<Integer> pasids = new ArrayList<>(List.of(DmaRequest.NO_PASID));
      pasids.addAll(endpoint.pasids());
      for (int pasid : pasids) {
        int most = clock.getAsLong() - start < PATIENCE_NS ? limit : 0;
        Reach reach = new Reach(endpoint, pasid, inspector.view(endpoint.source(), pasid, most));
        reaches.add(reach);
        if (endpoint.unit().driven() && !reach.view().truncated()) {
          compare(platform.ledger(), reach, differences);
        }
      }
    }
    return new Isolation(reaches, platform.resources(), differences);
  }

  /** The rows: every device and PASID. */
  public List<Reach> reaches() {
    return reaches;
  }

  /** The columns: everything that matters to somebody. */
  public List<Resource> resources() {
    return resources;
  }

  /** Where the tables differ from the drivers' books; empty if all is well, or for a capture. */
  public List<Difference> differences() {
    return differences;
  }

  /** Pairs of different devices that reach the same memory, without those that reach all of it. */
  public List<Shared> shared() {
    List<Shared> all = new ArrayList<>();
    int any = Access.READ | Access.WRITE | Access.EXECUTE;
    List<Reach> translated = reaches.stream().filter(r -> !r.view().mappings().isEmpty()).toList();
    List<Spans> reached = translated.stream().map(r -> r.physical(any)).toList();
    List<Spans> written = translated.stream().map(r -> r.physical(Access.WRITE)).toList();
    for (int i = 0; i < translated.size(); i++) {
      for (int j = i + 1; j < translated.size(); j++) {
        if (translated.get(i).endpoint().equals(translated.get(j).endpoint())) {
          continue;
        }
        Spans both = reached.get(i).and(reached.get(j));
        if (!both.isEmpty()) {
          List<Spans.Span> either = new ArrayList<>(written.get(i).list());
          either.addAll(written.get(j).list());
          long writable = both.and(Spans.union(either)).bytes();
          all.add(new Shared(translated.get(i), translated.get(j), both.bytes(), writable));
        }
      }
    }
    return all;
  }

  /** Whether a requester reaches part of a resource without having been given it. */
  public boolean breached(Reach reach, Resource resource) {
    Spans wanted = Spans.of(resource.base(), resource.size());
    return differences.stream()
        .filter(d -> d.excess && d.reach.equals(reach))
        .anyMatch(d -> !wanted.and(Spans.of(d.pa, d.size)).isEmpty());
  }

  private static void compare(Ledger ledger, Reach reach, List<Difference> differences) {
    Endpoint endpoint = reach.endpoint();
    boolean identity = ledger.typeOf(endpoint, reach.pasid()) == DomainType.IDENTITY;
    if (reach.everything()) {
      if (!identity) {
        differences.add(new Difference(reach, true, 0, Long.MAX_VALUE, 0, -1));
      }
      return;
    }
    // Where there is no execute permission, neither side's word about it means anything.
    boolean execute = endpoint.unit().driver().capabilities().executePermission();
    int counts = Access.READ | Access.WRITE | (execute ? Access.EXECUTE : 0);
    List<Part> tables = new ArrayList<>();
    for (Inspector.Mapping m : reach.view().mappings()) {
      tables.add(new Part(m.iova(), m.size(), m.pa(), m.permissions() & counts));
    }
    List<Part> books = new ArrayList<>();
    for (Mapping m : ledger.granted(endpoint, reach.pasid())) {
      books.add(new Part(m.iova(), m.size(), m.pa(), m.permissions() & counts));
    }
    rest(tables, books).forEach(p -> differences.add(p.difference(reach, true)));
    rest(books, tables).forEach(p -> differences.add(p.difference(reach, false)));
  }

  private record Part(long iova, long size, long pa, int permissions) {
    Difference difference(Reach reach, boolean excess) {
      return new Difference(reach, excess, iova, size, pa, permissions);
    }

    boolean covers(Part other) {
      return pa - iova == other.pa - other.iova && (other.permissions & ~permissions) == 0;
    }
  }

  /** The parts of {@code some} that nothing in {@code others} covers. */
  private static List<Part> rest(List<Part> some, List<Part> others) {
    List<Part> rest = new ArrayList<>();
    for (Part p : some) {
      List<Spans.Span> covered = new ArrayList<>();
      for (Part o : others) {
        if (o.covers(p)) {
          covered.add(new Spans.Span(o.iova, o.iova + o.size - 1));
        }
      }
      Spans left = Spans.of(p.iova, p.size).minus(Spans.union(covered));
      for (Spans.Span s : left.list()) {
        rest.add(new Part(s.first(), s.bytes(), p.pa + (s.first() - p.iova), p.permissions));
      }
    }
    return rest;
  }

  /** What a kind of reach is called. */
  public static String words(Inspector.Reach reach) {
    return reach.name().toLowerCase(Locale.ROOT);
  }
}
