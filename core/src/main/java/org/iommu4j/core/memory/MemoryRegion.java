package org.iommu4j.core.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * One contiguous piece of physical memory that may be read and written without further checks.
 *
 * <p>The unchecked half of {@link PhysicalMemory}: a walker asks {@link #holds} once and then
 * loads. Every segment is native, so that the JIT sees one class only: walkers that also meet heap
 * segments become up to three times slower. Base and size are multiples of 8, so an aligned access
 * of up to 8 bytes that starts inside ends inside.
 */
public final class MemoryRegion {
  /** A region that holds nothing: the initial "last region" of a walker. */
  public static final MemoryRegion NONE = new MemoryRegion(0, MemorySegment.ofAddress(8), 0);

  static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG = LE64.varHandle();
  private static final VarHandle INT = LE32.varHandle();

  private final long base;
  private final long size;
  private final MemorySegment segment;

  private MemoryRegion(long base, MemorySegment segment, long size) {
    this.base = base;
    this.size = size;
    this.segment = segment;
  }

  /**
   * A region over a native segment; its liveness follows {@code arena}.
   *
   * @throws IllegalArgumentException if base, size or the segment's address is not a multiple of 8,
   *     if the segment is a heap segment, or if the range wraps
   */
  @SuppressWarnings("restricted") // the one re-wrap that keeps walkers monomorphic
  static MemoryRegion of(long base, MemorySegment segment, Arena arena) {
    long size = segment.byteSize();
    if (!segment.isNative() || ((base | size | segment.address()) & 7) != 0 || size <= 0) {
      throw new IllegalArgumentException(
          "region at 0x%x of 0x%x bytes: base, size and backing must be native and 8-byte aligned"
              .formatted(base, size));
    }
    if (base != 0 && Long.compareUnsigned(base + size - 1, base) < 0) {
      throw new IllegalArgumentException("region at 0x%x wraps around".formatted(base));
    }
    // Re-wrapped once: whatever the origin, walkers meet a single segment class.
    return new MemoryRegion(
        base, MemorySegment.ofAddress(segment.address()).reinterpret(size, arena, null), size);
  }

  /** The part of this region that starts at {@code from} and has {@code length} bytes. */
  MemoryRegion slice(long from, long length) {
    return new MemoryRegion(from, segment.asSlice(from - base, length), length);
  }

  /** Lowest physical address. */
  public long base() {
    return base;
  }

  /** Bytes. */
  public long size() {
    return size;
  }

  /** The backing segment: offset 0 is {@link #base()}. */
  public MemorySegment segment() {
    return segment;
  }

  /** Whether an aligned access of up to 8 bytes at {@code pa} lies in this region. */
  public boolean holds(long pa) {
    return Long.compareUnsigned(pa - base, size) < 0;
  }

  /** Whether {@code length} bytes from {@code pa} lie in this region. */
  public boolean holds(long pa, long length) {
    long at = pa - base;
    return Long.compareUnsigned(at, size) < 0 && Long.compareUnsigned(length, size - at) <= 0;
  }

  /** The little-endian doubleword at {@code pa}, 8-byte aligned. */
  public long getLong(long pa) {
    return segment.get(LE64, pa - base);
  }

  /** The same, and before all loads that follow. */
  public long getLongAcquire(long pa) {
    return (long) LONG.getAcquire(segment, pa - base);
  }

  /** The little-endian word at {@code pa}, 4-byte aligned. */
  public int getInt(long pa) {
    return segment.get(LE32, pa - base);
  }

  /** Stores a little-endian doubleword at {@code pa}, 8-byte aligned. */
  public void putLong(long pa, long value) {
    segment.set(LE64, pa - base, value);
  }

  /** Stores a little-endian word at {@code pa}, 4-byte aligned. */
  public void putInt(long pa, int value) {
    segment.set(LE32, pa - base, value);
  }

  /** Atomically replaces the doubleword if it is {@code expected}; returns what was there. */
  public long compareAndExchangeLong(long pa, long expected, long desired) {
    return (long) LONG.compareAndExchange(segment, pa - base, expected, desired);
  }

  /** Atomically replaces the word if it is {@code expected}; returns what was there. */
  public int compareAndExchangeInt(long pa, int expected, int desired) {
    return (int) INT.compareAndExchange(segment, pa - base, expected, desired);
  }
}
