package org.iommu4j.core.memory;

/**
 * Two doublewords of memory, side by side, that software changes with one store of 16 bytes ({@code
 * cmpxchg16b}) and hardware reads as one: a reader's own place for them.
 *
 * <p>Java has no load of 16 bytes. So the first half is loaded, then the second, then the first
 * again, each with acquire semantics, until the first is what it was. What that gives:
 *
 * <ul>
 *   <li>Against stores of 16 bytes: both halves are of one store, the one that memory held when the
 *       second half was loaded. There is one exception (ABA): one store between the first load and
 *       the second, and another between the second and the third that brings the first half back.
 *       Software that has every change invalidated, and waits for it, before the next, excludes it:
 *       a request meets one change at most.
 *   <li>Against stores of 8 bytes, one after the other: what is in memory is halves of two stores,
 *       and that is what is read. Who stores the second half before the first, which holds the bit
 *       that says "valid", is served: a first half is never paired with a second half that is older
 *       than the one stored before it.
 * </ul>
 *
 * <p>An entry that does not hold still in {@value #TRIES} tries counts as one that cannot be read:
 * nothing that a guest stores makes the reader wait for ever, or take halves that do not belong
 * together. A change of the entry costs one more try. For more it takes a processor that does
 * nothing but store to the entry; against code that is not compiled yet, that one may win.
 *
 * <p>Nothing is allocated and nothing locked. For one thread. (Not final, so that a test can say
 * what memory answers.)
 */
public class EntryPair {
  /** Bytes. */
  public static final int BYTES = 16;

  /**
   * How often the halves are loaded before the entry counts as unreadable. 1,024 times the 100 ns
   * that it takes to get a line from another processor are 0.1 ms.
   */
  static final int TRIES = 1024;

  private long first;
  private long second;

  /** An empty place. */
  public EntryPair() {}

  /** The doubleword at the lower address, as {@code load} found it last. */
  public final long first() {
    return first;
  }

  /** The doubleword at the higher address. */
  public final long second() {
    return second;
  }

  /**
   * Loads the 16 bytes at {@code pa}, all of which the region has to hold.
   *
   * @param pa a multiple of 16 if software's stores of 16 bytes are to be atomic; of 8 in any case
   * @return whether the halves belong together; if not, both are 0
   */
  public final boolean load(MemoryRegion region, long pa) {
    long before = half(region, pa);
    for (int n = 0; n < TRIES; n++) {
      long beside = half(region, pa + 8);
      long after = half(region, pa);
      if (after == before) {
        set(before, beside);
        return true;
      }
      before = after;
    }
    set(0, 0);
    return false;
  }

  /**
   * Acquire, so that neither compiler nor processor swaps or merges the loads: the last one of the
   * first half stays behind that of the second.
   */
  long half(MemoryRegion region, long pa) {
    return region.getLongAcquire(pa);
  }

  final void set(long lower, long higher) {
    first = lower;
    second = higher;
  }
}
