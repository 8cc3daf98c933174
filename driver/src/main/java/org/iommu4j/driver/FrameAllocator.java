package org.iommu4j.driver;

import java.util.ArrayDeque;
import java.util.TreeMap;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.memory.PhysicalMemory;

/**
 * Hands out zeroed pages of physical memory for tables and queues, and takes them back.
 *
 * <p>One range, bump allocation with a free list per size. Threads: serialised.
 */
public final class FrameAllocator {
  private static final int PAGE_SHIFT = 12;

  private final PhysicalMemory memory;
  private final long end;
  private final TreeMap<Long, ArrayDeque<Long>> free = new TreeMap<>();
  private long next;
  private long inUse;

  /**
   * Allocates from {@code [base, base + size)} of the memory.
   *
   * @throws IllegalArgumentException if the range is not page aligned
   */
  public FrameAllocator(PhysicalMemory memory, long base, long size) {
    if (((base | size) & ((1L << PAGE_SHIFT) - 1)) != 0 || size <= 0) {
      throw new IllegalArgumentException(
          "frames at 0x%x of 0x%x bytes are not page aligned".formatted(base, size));
    }
    this.memory = memory;
    this.next = base;
    this.end = base + size;
  }

  /**
   * A zeroed block, aligned to its size.
   *
   * @param size a power of two, at least 4096
   * @throws DriverException if there is no more memory
   */
  public synchronized long allocate(long size) {
    ArrayDeque<Long> reuse = free.get(size);
    long at;
    if (reuse != null && !reuse.isEmpty()) {
      at = reuse.pop();
    } else {
      at = (next + size - 1) & -size;
      if (at + size > end) {
        throw new DriverException(
            "no more table memory: %d bytes in use, %d asked for; give the driver a larger range"
                .formatted(inUse, size));
      }
      next = at + size;
    }
    clear(at, size);
    inUse += size;
    return at;
  }

  private void clear(long at, long size) {
    MemoryRegion region = memory.region(at);
    if (region.holds(at, size)) {
      region.segment().asSlice(at - region.base(), size).fill((byte) 0);
      return;
    }
    for (long i = 0; i < size; i += 8) {
      if (memory.writeLong(at + i, 0) != PhysicalMemory.OK) {
        throw new DriverException("there is no memory at 0x%x for tables".formatted(at + i));
      }
    }
  }

  /** Takes a block back. Only when no cache can refer to it any more. */
  public synchronized void free(long at, long size) {
    free.computeIfAbsent(size, s -> new ArrayDeque<>()).push(at);
    inUse -= size;
  }

  /** The last address that can be handed out. */
  public long last() {
    return end - 1;
  }

  /** Bytes handed out and not taken back. */
  public synchronized long inUse() {
    return inUse;
  }
}
