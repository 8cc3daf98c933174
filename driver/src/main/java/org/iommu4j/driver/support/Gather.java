package org.iommu4j.driver.support;

import java.util.Arrays;
import org.iommu4j.driver.FrameAllocator;

/**
 * What became invalid and is not yet invalidated: ranges of addresses, and table pages that can be
 * given back only afterwards.
 *
 * <p>Ranges are kept apart, because one range over all of them would throw away what other mappings
 * have in the caches; when there are too many, {@link #everything} says so. Not thread-safe: the
 * owner's lock guards it.
 */
public final class Gather {
  /** Ranges kept apart: beyond it, invalidating everything is cheaper than one by one. */
  private static final int LIMIT = 64;

  private final long[] first = new long[LIMIT];
  private final long[] last = new long[LIMIT];
  private final int[] stride = new int[LIMIT];
  private final boolean[] table = new boolean[LIMIT];
  private int count;
  private boolean overflow;
  private boolean tables;
  private long[] frames = new long[8];
  private int frameCount;

  /** Pages of {@code 2^shift} bytes were unmapped. */
  void pages(long iova, long size, int shift) {
    add(iova, iova + size - 1, shift, false);
  }

  /** A table was unlinked that led to {@code 2^spanShift} bytes. */
  void table(long iova, int spanShift) {
    tables = true;
    add(iova, iova + (1L << spanShift) - 1, spanShift, true);
  }

  private void add(long from, long to, int shift, boolean isTable) {
    int top = count - 1;
    if (top >= 0 && last[top] + 1 == from && stride[top] == shift && table[top] == isTable) {
      last[top] = to;
      return;
    }
    if (count == LIMIT) {
      overflow = true;
      first[top] = Math.min(first[top], from);
      last[top] = Math.max(last[top], to);
      return;
    }
    first[count] = from;
    last[count] = to;
    stride[count] = shift;
    table[count] = isTable;
    count++;
  }

  /** A table page may be reused once everything here is invalidated. */
  void frame(long at, long bytes) {
    if (frameCount + 2 > frames.length) {
      frames = Arrays.copyOf(frames, frames.length * 2);
    }
    frames[frameCount++] = at;
    frames[frameCount++] = bytes;
  }

  /** Whether nothing became invalid. */
  public boolean isEmpty() {
    return count == 0;
  }

  /** Whether there were too many ranges to tell them apart. */
  public boolean everything() {
    return overflow;
  }

  /** Whether entries that lead to tables changed, not only pages. */
  public boolean hasTables() {
    return tables;
  }

  /** Number of ranges. */
  public int ranges() {
    return count;
  }

  /** First address of range {@code i}. */
  public long first(int i) {
    return first[i];
  }

  /** Last address of range {@code i}. */
  public long last(int i) {
    return last[i];
  }

  /** Log2 of the distance of addresses that reach every entry of range {@code i}. */
  public int stride(int i) {
    return stride[i];
  }

  /** Whether the entries of range {@code i} led to tables. */
  public boolean isTable(int i) {
    return table[i];
  }

  /** Whether any address of {@code first..last} waits to be invalidated. */
  boolean overlaps(long from, long to) {
    if (overflow) {
      return true;
    }
    for (int i = 0; i < count; i++) {
      if (first[i] <= to && from <= last[i]) {
        return true;
      }
    }
    return false;
  }

  /** Everything is invalidated: gives the table pages back and starts anew. */
  void completed(FrameAllocator allocator) {
    for (int i = 0; i < frameCount; i += 2) {
      allocator.free(frames[i], frames[i + 1]);
    }
    clear();
  }

  /** Takes over all that another one has, which starts anew. */
  void takeOver(Gather other) {
    for (int i = 0; i < other.count; i++) {
      add(other.first[i], other.last[i], other.stride[i], other.table[i]);
    }
    for (int i = 0; i < other.frameCount; i += 2) {
      frame(other.frames[i], other.frames[i + 1]);
    }
    overflow |= other.overflow;
    tables |= other.tables;
    other.clear();
  }

  private void clear() {
    count = 0;
    overflow = false;
    tables = false;
    frameCount = 0;
  }
}
