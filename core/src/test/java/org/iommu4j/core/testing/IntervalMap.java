package org.iommu4j.core.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What every page table and every driver has to be equal to: ranges of addresses, each with a
 * target that runs along, and permissions. Slow and obvious.
 */
public final class IntervalMap {
  /** A range that is mapped in one piece. */
  public record Run(long start, long size, long target, int permissions) {
    /** The address after the last one. */
    public long end() {
      return start + size;
    }

    private Run part(long from, long to) {
      return new Run(from, to - from, target + from - start, permissions);
    }
  }

  private final TreeMap<Long, Run> runs = new TreeMap<>();

  /** Whether any address of the range is mapped. */
  public boolean overlaps(long start, long size) {
    Map.Entry<Long, Run> before = runs.lowerEntry(start + size);
    return before != null && before.getValue().end() > start;
  }

  /** Maps a range of which nothing is mapped. */
  public void map(long start, long size, long target, int permissions) {
    if (overlaps(start, size)) {
      throw new IllegalStateException("0x%x is mapped".formatted(start));
    }
    runs.put(start, new Run(start, size, target, permissions));
  }

  /** Unmaps what is mapped in a range, and says how many bytes that were. */
  public long unmap(long start, long size) {
    long end = start + size;
    long bytes = 0;
    for (Run r : List.copyOf(runs.values())) {
      long from = Math.max(start, r.start);
      long to = Math.min(end, r.end());
      if (from < to) {
        runs.remove(r.start);
        if (r.start < from) {
          runs.put(r.start, r.part(r.start, from));
        }
        if (to < r.end()) {
          runs.put(to, r.part(to, r.end()));
        }
        bytes += to - from;
      }
    }
    return bytes;
  }

  /** The run that an address is in, or null. */
  public Run at(long address) {
    Map.Entry<Long, Run> e = runs.floorEntry(address);
    return e != null && address < e.getValue().end() ? e.getValue() : null;
  }

  /** Where an address leads, -1 if nowhere. */
  public long target(long address) {
    Run r = at(address);
    return r == null ? -1 : r.target + address - r.start;
  }

  /** Bytes mapped. */
  public long mapped() {
    return runs.values().stream().mapToLong(Run::size).sum();
  }

  /** All runs by address, adjacent ones joined where targets and permissions go on. */
  public List<Run> runs() {
    return joined(runs.values());
  }

  /** Runs in ascending order, adjacent ones joined where targets and permissions go on. */
  public static List<Run> joined(Iterable<Run> ascending) {
    List<Run> all = new ArrayList<>();
    for (Run r : ascending) {
      Run last = all.isEmpty() ? null : all.getLast();
      if (last != null
          && last.end() == r.start
          && last.target + last.size == r.target
          && last.permissions == r.permissions) {
        all.set(
            all.size() - 1, new Run(last.start, last.size + r.size, last.target, r.permissions));
      } else {
        all.add(r);
      }
    }
    return all;
  }
}
