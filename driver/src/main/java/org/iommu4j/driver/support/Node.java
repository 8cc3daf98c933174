package org.iommu4j.driver.support;

import org.iommu4j.core.memory.MemoryRegion;
import org.jspecify.annotations.Nullable;

/**
 * One table in memory, and the tables that it leads to. Software keeps this beside the tables, so
 * that it finds its way without reading, and trusting, physical addresses back from memory.
 */
final class Node {
  /** What {@link #firstMapped} returns where nothing is mapped. */
  static final long FREE = -1;

  final long address;
  final int level;

  /** Log2 of the bytes that one entry spans. */
  final int shift;

  final int entries;
  final MemoryRegion region;

  /** What each entry leads to, null for a page or nothing; absent at level 0. */
  private final @Nullable Node @Nullable [] children;

  /** Entries that are not 0. */
  int live;

  Node(long address, int level, int shift, int entries, MemoryRegion region) {
    this.address = address;
    this.level = level;
    this.shift = shift;
    this.entries = entries;
    this.region = region;
    this.children = level == 0 ? null : new Node[entries];
  }

  @Nullable Node child(int index) {
    return children == null ? null : children[index];
  }

  void child(int index, @Nullable Node node) {
    if (children != null) {
      children[index] = node;
    }
  }

  int index(long iova) {
    return (int) (iova >>> shift) & (entries - 1);
  }

  /** The first address that the table spans, if it spans {@code iova}. */
  long base(long iova) {
    return iova & -((long) entries << shift);
  }

  long bytes() {
    return 8L * entries;
  }

  long get(int index) {
    return region.getLong(address + 8L * index);
  }

  void put(int index, long entry) {
    region.putLong(address + 8L * index, entry);
  }

  /** Stores one value into {@code count} entries. */
  void fill(int index, int count, long entry) {
    MemoryRegion r = region;
    long at = address + 8L * index;
    for (int i = 0; i < count; i++) {
      r.putLong(at + 8L * i, entry);
    }
  }

  /** Stores {@code entry}, {@code entry + step}, ... into {@code count} entries. */
  void fill(int index, int count, long entry, long step) {
    MemoryRegion r = region;
    long at = address + 8L * index;
    long value = entry;
    for (int i = 0; i < count; i++) {
      r.putLong(at + 8L * i, value);
      value += step;
    }
  }

  /** The first entry of {@code index..index + count - 1} that is not 0, or -1. */
  int firstUsed(int index, int count) {
    if (live == 0) {
      return -1;
    }
    MemoryRegion r = region;
    long at = address + 8L * index;
    long any = 0;
    for (int i = 0; i < count; i++) {
      any |= r.getLong(at + 8L * i);
    }
    if (any == 0) {
      return -1;
    }
    int i = index;
    while (get(i) == 0) {
      i++;
    }
    return i;
  }

  /**
   * The first mapped address within {@code firstByte..lastByte}, which the table spans, or {@link
   * #FREE}.
   */
  long firstMapped(long firstByte, long lastByte) {
    if (live == 0) {
      return FREE;
    }
    int from = index(firstByte);
    int to = index(lastByte);
    if (level == 0) {
      int used = firstUsed(from, to - from + 1);
      return used < 0 ? FREE : base(firstByte) + ((long) used << shift);
    }
    for (int i = from; i <= to; i++) {
      long start = Math.max(firstByte, base(firstByte) + ((long) i << shift));
      Node child = child(i);
      if (child != null) {
        long end = Math.min(lastByte, base(firstByte) + ((i + 1L) << shift) - 1);
        long found = child.firstMapped(start, end);
        if (found != FREE) {
          return found;
        }
      } else if (get(i) != 0) {
        return start;
      }
    }
    return FREE;
  }

  /** Atomically replaces an entry that hardware may be updating; returns what was there. */
  long exchange(int index, long expected, long entry) {
    return region.compareAndExchangeLong(address + 8L * index, expected, entry);
  }
}
