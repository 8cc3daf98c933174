package org.iommu4j.core.iotlb;

import org.jspecify.annotations.Nullable;

/**
 * One thread's latest translations, in front of the shared {@link Iotlb}: the micro-TLB that sits
 * close to a device.
 *
 * <p>No other thread reads or writes it, so a hit needs neither tag nor sequence, and the answer is
 * kept ready-made. What keeps it right is the unit's <em>epoch</em>, a number that counts up with
 * every invalidation of anything: entries are good as long as the epoch is the one that was read
 * before they were looked up.
 *
 * <pre>
 *   device thread                       invalidator
 *   e = epoch                           remove stale entries from the shared caches
 *   look up the shared cache            epoch++
 *   keep(e, ...)                        drain the access windows, report completion
 * </pre>
 *
 * In this order: counted up before the removal, the new epoch could cover a stale entry that a
 * thread still found.
 *
 * <p>It is asked by page of 4 KiB, so a superpage takes an entry for each of its pages in use.
 */
public final class MicroTlb {
  private static final int SHIFT = 12;
  private static final long OFFSET = (1 << SHIFT) - 1;

  /** What is known of one page of one requester. */
  public static final class Entry {
    private long page = -1; // none: a page number has 52 bits
    private long epoch;
    private long requester;
    private long base;
    private long answer;

    Entry() {}

    /** The translation of an address in the page. */
    public long pa(long iova) {
      return base + (iova & OFFSET);
    }

    /** What was kept with it. */
    public long answer() {
      return answer;
    }
  }

  private final Entry[] entries;

  /**
   * An empty one.
   *
   * @param count a power of two
   */
  public MicroTlb(int count) {
    if (Integer.bitCount(count) != 1) {
      throw new IllegalArgumentException(count + " entries are not a power of two");
    }
    // Objects and no arrays of words: one check of an index instead of one per word.
    entries = new Entry[count];
    for (int i = 0; i < count; i++) {
      entries[i] = new Entry();
    }
  }

  /**
   * What is known about an address of a requester in this epoch.
   *
   * @param requester who asks: a requester id, or one and a PASID in one word
   */
  public @Nullable Entry lookup(long now, long requester, long iova) {
    Entry[] all = entries;
    long page = iova >>> SHIFT;
    // A mask made of the array's own length spares the check.
    Entry e = all[(int) page & all.length - 1];
    return e.page == page && e.requester == requester && e.epoch == now ? e : null;
  }

  /**
   * Keeps what the shared cache answered.
   *
   * @param seen the epoch from before the question
   * @param pa the translation of {@code iova}
   * @param answer whatever goes with it
   */
  public void keep(long seen, long requester, long iova, long pa, long answer) {
    long page = iova >>> SHIFT;
    Entry e = entries[(int) page & entries.length - 1];
    e.page = page;
    e.epoch = seen;
    e.requester = requester;
    e.base = pa & ~OFFSET;
    e.answer = answer;
  }
}
