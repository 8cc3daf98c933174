package org.iommu4j.core.unit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/**
 * The workspaces of a unit, one per {@code Translation} that its callers use, and what they
 * counted.
 *
 * <p>Each is written by its own thread without synchronisation, counters too: a sum is what the
 * threads had counted a moment ago.
 */
final class Workspaces<W extends BaseWorkspace> {
  private final List<W> all = new ArrayList<>();

  // What those counted that are gone.
  private long hits;
  private long misses;
  private long faults;

  synchronized void add(W w) {
    all.add(w);
  }

  synchronized void remove(BaseWorkspace w) {
    if (all.remove(w)) {
      hits += w.hits();
      misses += w.misses();
      faults += w.faults();
    }
  }

  /**
   * @param entries valid entries of the IOTLB
   */
  synchronized Map<String, Long> statistics(int entries) {
    Map<String, Long> statistics = new LinkedHashMap<>();
    statistics.put("iotlb.hits", hits + sum(BaseWorkspace::hits));
    statistics.put("iotlb.misses", misses + sum(BaseWorkspace::misses));
    statistics.put("iotlb.entries", (long) entries);
    statistics.put("faults", faults + sum(BaseWorkspace::faults));
    return statistics;
  }

  private long sum(ToLongFunction<BaseWorkspace> counter) {
    return all.stream().mapToLong(counter).sum();
  }
}
