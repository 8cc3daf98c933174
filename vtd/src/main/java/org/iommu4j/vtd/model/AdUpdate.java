package org.iommu4j.vtd.model;

import org.iommu4j.core.memory.PhysicalMemory;

/**
 * Setting accessed and dirty bits in a paging entry: an atomic compare-and-swap. §3.7.2, §3.8.3.
 */
final class AdUpdate {
  static final int DONE = 0;

  /** Somebody changed the entry: walk again from this level. */
  static final int CHANGED = 1;

  static final int FAILED = 2;

  private AdUpdate() {}

  /**
   * Sets {@code bits} in the entry at {@code at}.
   *
   * @param raw the entry as it was read
   */
  static int set(Setup s, Workspace w, long at, long raw, long bits) {
    // Choice: a register page is no place for a table; its entries cannot be updated.
    if (s.memory.status(at, 8, false) != PhysicalMemory.OK
        || s.memory.status(at, 8, true) != PhysicalMemory.OK
        || s.memory.isDevice(at)) {
      return FAILED;
    }
    if (w.dry) {
      return DONE;
    }
    return s.memory.compareAndExchangeLong(at, raw, raw | bits) == raw ? DONE : CHANGED;
  }
}
