package org.iommu4j.vtd.driver;

import org.iommu4j.driver.support.Gather;
import org.iommu4j.vtd.layout.Capability;

/**
 * Which descriptors make the unit forget what was unmapped. §6.5.2: blocks of pages as large as the
 * unit takes them (CAP.MAMV) and as long as they are few, else the whole domain, or PASID. IH = 1
 * where only pages went: then the ways to them stay cached.
 */
final class Invalidations {
  private static final int PAGE_SHIFT = 12;

  /** Takes the blocks of a range. */
  @FunctionalInterface
  interface Block {
    /** {@code 2^shift} bytes at an address aligned to that. */
    void at(long address, int shift);
  }

  private Invalidations() {}

  /** Of second-stage tables. */
  static void secondStage(Descriptors d, Plan plan, int did, Gather gather) {
    if (!plan.hasCap(Capability.PSI) || !isFew(plan, gather)) {
      d.forgetDomain(did);
      return;
    }
    for (int i = 0; i < gather.ranges(); i++) {
      boolean leaf = !gather.isTable(i);
      if (!leaf || !covered(gather, i)) {
        blocks(
            gather.first(i),
            gather.last(i),
            plan.addressMask(),
            (at, shift) -> d.forgetPages(did, at, shift, leaf));
      }
    }
  }

  /** Of first-stage tables, for one PASID that uses them. */
  static void firstStage(Descriptors d, Plan plan, int did, int pasid, Gather gather) {
    if (!isFew(plan, gather)) {
      d.forgetProcess(did, pasid);
      return;
    }
    for (int i = 0; i < gather.ranges(); i++) {
      boolean leaf = !gather.isTable(i);
      if (!leaf || !covered(gather, i)) {
        blocks(
            gather.first(i),
            gather.last(i),
            plan.addressMask(),
            (at, shift) -> d.forgetProcessPages(did, pasid, at, shift, leaf));
      }
    }
  }

  /** A range of a second stage, of which anything may have changed. */
  static void secondStage(Descriptors d, Plan plan, int did, long first, long last) {
    if (!plan.hasCap(Capability.PSI) || !isFew(plan, first, last)) {
      d.forgetDomain(did);
      return;
    }
    blocks(first, last, plan.addressMask(), (at, shift) -> d.forgetPages(did, at, shift, false));
  }

  /** A range of a guest's first stage. */
  static void guest(
      Descriptors d, Plan plan, int did, int pasid, long first, long last, boolean leaf) {
    if (!isFew(plan, first, last)) {
      d.forgetProcess(did, pasid);
      return;
    }
    blocks(
        first,
        last,
        plan.addressMask(),
        (at, shift) -> d.forgetProcessPages(did, pasid, at, shift, leaf));
  }

  /** Whether a table that went spanned the pages: then its block takes them along. */
  private static boolean covered(Gather gather, int pages) {
    for (int i = 0; gather.hasTables() && i < gather.ranges(); i++) {
      if (gather.isTable(i)
          && gather.first(i) <= gather.first(pages)
          && gather.last(pages) <= gather.last(i)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isFew(Plan plan, Gather gather) {
    if (gather.everything()) {
      return false;
    }
    long left = plan.settings().flushLimit();
    for (int i = 0; i < gather.ranges() && left >= 0; i++) {
      left -= count(plan, gather.first(i), gather.last(i));
    }
    return left >= 0;
  }

  private static boolean isFew(Plan plan, long first, long last) {
    return count(plan, first, last) <= plan.settings().flushLimit();
  }

  private static long count(Plan plan, long first, long last) {
    long least = last - first >>> PAGE_SHIFT >>> plan.addressMask();
    if (least > plan.settings().flushLimit()) {
      return least; // enough to know, and not to be counted one by one
    }
    long[] count = new long[1];
    blocks(first, last, plan.addressMask(), (at, shift) -> count[0]++);
    return count[0];
  }

  /**
   * Cuts a range into the fewest blocks that are aligned to their size, a power of two.
   *
   * @param mask log2 of the pages of the largest block
   */
  static void blocks(long first, long last, int mask, Block block) {
    long largest = mask >= Long.SIZE - PAGE_SHIFT - 1 ? 1L << 62 : 1L << PAGE_SHIFT + mask;
    for (long at = first; at <= last; ) {
      long most = Math.min(largest, Long.highestOneBit(last - at + 1));
      long size = at == 0 ? most : Math.min(most, Long.lowestOneBit(at));
      block.at(at, Long.numberOfTrailingZeros(size));
      at += size;
    }
  }
}
