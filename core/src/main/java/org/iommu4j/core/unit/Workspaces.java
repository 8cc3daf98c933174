package org.iommu4j.core.unit;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.ToLongFunction;

/**
 * The workspaces of a unit, one per {@code Translation} that its callers use, and what they
 * counted.
 *
 * <p>Each is written by its own thread without synchronisation, counters too: a sum is what the
 * threads had counted a moment ago.
 */
final class Workspaces<W extends BaseWorkspace> {
  private final List<W> all = new CopyOnWriteArrayList<>();

  void add(W w) {
    all.add(w);
  }

  /**
   * @param entries valid entries of the IOTLB
   */
  Map<String, Long> statistics(int entries) {
    Map<String, Long> statistics = new LinkedHashMap<>();
    statistics.put("iotlb.hits", sum(BaseWorkspace::hits));
    statistics.put("iotlb.misses", sum(BaseWorkspace::misses));
    statistics.put("iotlb.entries", (long) entries);
    statistics.put("faults", sum(BaseWorkspace::faults));
    return statistics;
  }

  private long sum(ToLongFunction<BaseWorkspace> counter) {
    return all.stream().mapToLong(counter).sum();
  }
}
