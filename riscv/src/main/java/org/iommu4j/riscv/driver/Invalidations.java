package org.iommu4j.riscv.driver;

import org.iommu4j.driver.support.Gather;
import org.iommu4j.riscv.layout.Capabilities;

/**
 * Which commands make the unit forget what was unmapped. §6.2.3, §6.2.4: by address as long as that
 * is little work; by range if the unit can; with the tables on the way if the unit can; else the
 * whole address space.
 */
final class Invalidations {
  /** Takes the blocks of a range. */
  @FunctionalInterface
  interface Block {
    /** {@code 2^shift} bytes at an address aligned to that. */
    void at(long address, int shift);
  }

  private Invalidations() {}

  /** Adds the commands. */
  static void add(Commands c, Plan plan, Space space, Gather gather) {
    boolean tables = gather.hasTables();
    if (gather.everything()
        || (tables && !plan.has(Capabilities.NL))
        || work(plan, gather) > plan.settings().flushLimit()) {
      c.forgetSpace(space);
      return;
    }
    for (int i = 0; i < gather.ranges(); i++) {
      boolean table = gather.isTable(i);
      long first = gather.first(i);
      long last = gather.last(i);
      int stride = gather.stride(i);
      // One address is enough for all that one entry led to, however much that was.
      if (last - first >>> stride == 0) {
        c.forgetPage(space, first, table);
      } else if (plan.has(Capabilities.S)) {
        blocks(first, last, (at, shift) -> c.forgetRange(space, at, shift, table));
      } else {
        for (long at = first; at <= last; at += 1L << stride) {
          c.forgetPage(space, at, table);
        }
      }
    }
  }

  private static long work(Plan plan, Gather gather) {
    long work = 0;
    for (int i = 0; i < gather.ranges(); i++) {
      long entries = (gather.last(i) - gather.first(i) >>> gather.stride(i)) + 1;
      // A range falls into two blocks for each of its sizes, at most.
      work +=
          plan.has(Capabilities.S) ? Math.min(entries, 2L * Long.bitCount(entries) + 2) : entries;
    }
    return work;
  }

  /** Cuts a range into the fewest blocks that are aligned to their size, a power of two. */
  static void blocks(long first, long last, Block block) {
    for (long at = first; at <= last; ) {
      long most = Long.highestOneBit(last - at + 1);
      long size = at == 0 ? most : Math.min(most, Long.lowestOneBit(at));
      block.at(at, Long.numberOfTrailingZeros(size));
      at += size;
    }
  }
}
