package org.iommu4j.core.dma;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/**
 * The scratch memories of a unit, one per {@link Translation} that its callers use, and what they
 * counted.
 *
 * <p>Each is written by its own thread without synchronisation, counters too: a sum is what the
 * threads had counted a moment ago.
 *
 * @param <W> the unit's own kind of scratch memory
 */
public final class Workspaces<W> {
  private final Supplier<W> fresh;
  private final List<W> all = new CopyOnWriteArrayList<>();

  /**
   * None yet.
   *
   * @param fresh makes one
   */
  public Workspaces(Supplier<W> fresh) {
    this.fresh = fresh;
  }

  /** Puts a new one into a translation, in place of what was there. */
  public W attach(Translation out) {
    W w = fresh.get();
    all.add(w);
    out.workspace(w);
    return w;
  }

  /**
   * The statistics that all units have, in a map to which a unit adds its own.
   *
   * @param hits translations that a cache answered
   * @param misses translations that were walked
   * @param faults requests that were refused
   * @param entries valid entries of the IOTLB
   */
  public Map<String, Long> statistics(
      ToLongFunction<W> hits, ToLongFunction<W> misses, ToLongFunction<W> faults, int entries) {
    Map<String, Long> statistics = new LinkedHashMap<>();
    statistics.put("iotlb.hits", sum(hits));
    statistics.put("iotlb.misses", sum(misses));
    statistics.put("iotlb.entries", (long) entries);
    statistics.put("faults", sum(faults));
    return statistics;
  }

  private long sum(ToLongFunction<W> counter) {
    return all.stream().mapToLong(counter).sum();
  }
}
