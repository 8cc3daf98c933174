package org.iommu4j.core.memory;

/** Setting accessed and dirty bits in a table entry of 8 bytes: an atomic compare-and-swap. */
public enum EntryUpdate {
  /** The bits are set. */
  DONE,
  /** Somebody changed the entry: it has to be read again. */
  CHANGED,
  /** The memory cannot be updated. */
  FAILED;

  /**
   * Sets {@code bits} in the entry at {@code at}.
   *
   * @param raw the entry as it was read
   * @param dry whether to tell only what would happen
   */
  public static EntryUpdate set(PhysicalMemory memory, long at, long raw, long bits, boolean dry) {
    // Choice: a register page is no place for a table; its entries cannot be updated.
    if (memory.status(at, 8, false) != PhysicalMemory.OK
        || memory.status(at, 8, true) != PhysicalMemory.OK
        || memory.isDevice(at)) {
      return FAILED;
    }
    return dry || memory.compareAndExchangeLong(at, raw, raw | bits) == raw ? DONE : CHANGED;
  }
}
