package org.iommu4j.driver.support;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * One table in memory, and the tables that it leads to. Software keeps this beside the tables, so
 * that it finds its way without reading, and trusting, physical addresses back from memory; and so
 * that "is anything mapped here" costs one bit of a page instead of a cache line of its table.
 */
final class Node {
  /** What {@link #firstMapped} returns where nothing is mapped. */
  static final long FREE = -1;

  private static final ValueLayout.OfLong ENTRY =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle ATOMIC = ENTRY.varHandle();

  /** Physical address of the table. */
  final long address;

  final int level;

  /** Log2 of the bytes that one entry spans. */
  final int shift;

  final int entries;

  /** The table itself: exactly its entries, so that loops over it need few checks. */
  private final MemorySegment table;

  /** What each entry leads to, null for a page or nothing; absent at level 0. */
  private final @Nullable Node @Nullable [] children;

  /** One bit for each entry that is not 0. */
  private final long[] used;

  /** Entries that are not 0. */
  private int live;

  Node(long address, int level, int shift, MemorySegment table) {
    this.address = address;
    this.level = level;
    this.shift = shift;
    this.entries = (int) (table.byteSize() / ENTRY.byteSize());
    this.table = table;
    this.children = level == 0 ? null : new Node[entries];
    this.used = new long[Math.max(1, entries / Long.SIZE)];
  }

  boolean isEmpty() {
    return live == 0;
  }

  @Nullable Node child(int index) {
    return children == null ? null : children[index];
  }

  /** The entry at {@code index} leads to a table; 0 and null for nothing. */
  void link(int index, long entry, @Nullable Node node) {
    if (children != null) {
      boolean before = isUsed(index);
      children[index] = node;
      put(index, entry);
      if (before != (entry != 0)) {
        mark(index, 1, entry != 0);
      }
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
    return table.byteSize();
  }

  long get(int index) {
    return table.getAtIndex(ENTRY, index);
  }

  private void put(int index, long entry) {
    table.setAtIndex(ENTRY, index, entry);
  }

  /** Atomically replaces an entry that hardware may be updating; returns what was there. */
  long exchange(int index, long expected, long entry) {
    return (long) ATOMIC.compareAndExchange(table, ENTRY.byteSize() * index, expected, entry);
  }

  /** As {@link #exchange}, to an entry that leads to a table. */
  long exchange(int index, long expected, long entry, Node node) {
    long seen = exchange(index, expected, entry);
    if (seen == expected && children != null) {
      children[index] = node;
    }
    return seen;
  }

  // Pages: entries that were 0 become valid, or the other way round.

  /** One entry that was 0. */
  void set(int index, long entry) {
    put(index, entry);
    used[index >>> 6] |= 1L << index;
    live++;
  }

  /** {@code entry}, {@code entry + step}, ... into entries that were 0. */
  void set(int index, int count, long entry, long step) {
    MemorySegment t = table;
    long value = entry;
    for (int i = 0; i < count; i++) {
      t.setAtIndex(ENTRY, index + i, value);
      value += step;
    }
    mark(index, count, true);
  }

  /**
   * Groups of entries that were 0, each with one value: {@code entry}, {@code entry + step}, ...
   */
  void setGroups(int index, int count, int group, long entry, long step) {
    MemorySegment t = table;
    long value = entry;
    for (int i = 0; i < count; i += group) {
      for (int k = 0; k < group; k++) {
        t.setAtIndex(ENTRY, index + i + k, value);
      }
      value += step;
    }
    mark(index, count, true);
  }

  /** Clears entries that were not 0. */
  void clear(int index, int count) {
    MemorySegment t = table;
    for (int i = 0; i < count; i++) {
      t.setAtIndex(ENTRY, index + i, 0);
    }
    mark(index, count, false);
  }

  // The bits

  private static long bits(int word, int index, int end) {
    long from = word == index >>> 6 ? -1L << index : -1L;
    return word == end - 1 >>> 6 ? from & -1L >>> -end : from;
  }

  private void mark(int index, int count, boolean set) {
    int end = index + count;
    for (int w = index >>> 6; w <= end - 1 >>> 6; w++) {
      used[w] = set ? used[w] | bits(w, index, end) : used[w] & ~bits(w, index, end);
    }
    live += set ? count : -count;
  }

  boolean isUsed(int index) {
    return (used[index >>> 6] >>> index & 1) != 0;
  }

  /** The first entry of {@code index..index + count - 1} that is not 0, or -1. */
  int firstUsed(int index, int count) {
    int end = index + count;
    for (int w = index >>> 6; w <= end - 1 >>> 6; w++) {
      long found = used[w] & bits(w, index, end);
      if (found != 0) {
        return (w << 6) + Long.numberOfTrailingZeros(found);
      }
    }
    return -1;
  }

  /**
   * The first mapped address within {@code first..last}, which the table spans, or {@link #FREE}.
   */
  long firstMapped(long first, long last) {
    int to = index(last);
    for (int i = index(first); i <= to; i++) {
      i = firstUsed(i, to - i + 1);
      if (i < 0) {
        return FREE;
      }
      long start = Math.max(first, base(first) + ((long) i << shift));
      Node child = child(i);
      if (child == null) {
        return start;
      }
      long end = Math.min(last, base(first) + ((i + 1L) << shift) - 1);
      long found = child.firstMapped(start, end);
      if (found != FREE) {
        return found;
      }
    }
    return FREE;
  }
}
