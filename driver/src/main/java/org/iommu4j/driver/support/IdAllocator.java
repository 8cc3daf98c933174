package org.iommu4j.driver.support;

import java.util.ArrayDeque;
import org.iommu4j.driver.DriverException;

/**
 * Hands out the identifiers that caches tag entries with. One that came back is given out again
 * only when no fresh one is left, so that a stale entry, should there be one, meets no new owner
 * for as long as possible. Threads: serialised.
 */
public final class IdAllocator {
  /** All identifiers are in use. */
  public static final int NONE = -1;

  private final String name;
  private final int last;
  private final ArrayDeque<Integer> returned = new ArrayDeque<>();
  private int next;

  /** Identifiers {@code first..last}, none of them negative. */
  public IdAllocator(String name, int first, int last) {
    this.name = name;
    this.next = first;
    this.last = last;
  }

  /**
   * An identifier that nobody has.
   *
   * @throws DriverException if all are in use
   */
  public synchronized int take() {
    int id = takeIfAny();
    if (id == NONE) {
      throw new DriverException(
          "all %ss up to %d are in use; close domains that are not needed".formatted(name, last));
    }
    return id;
  }

  /** An identifier that nobody has, or {@link #NONE}. */
  public synchronized int takeIfAny() {
    if (next <= last) {
      return next++;
    }
    Integer id = returned.poll();
    return id == null ? NONE : id;
  }

  /** Takes an identifier back. Only when no cache holds an entry with it any more. */
  public synchronized void giveBack(int id) {
    returned.add(id);
  }
}
