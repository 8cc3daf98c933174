package org.iommu4j.core.unit;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Inspector.Mapping;
import org.iommu4j.core.dma.Inspector.Reach;
import org.iommu4j.core.dma.Inspector.View;

/**
 * Finds every range that a requester reaches, by asking for one address after the other: an answer
 * tells how far it holds, a miss how far the missing entry would have reached, so empty tables cost
 * one step.
 *
 * <pre>{@code
 * RangeSearch search = new RangeSearch(limit);
 * while (search.asks()) {
 *   boolean reached = ask(search.iova());
 *   if (reached) {
 *     search.found(shift, pa, permissions, false);
 *   }
 *   search.advance(shift, RangeSearch.NO_SIGN);
 * }
 * return search.view();
 * }</pre>
 */
public final class RangeSearch {
  /** Addresses are not sign-extended. */
  public static final int NO_SIGN = 63;

  /** Table entries that one question may read, besides those for the mappings it asks for. */
  public static final int STEPS = 1 << 18;

  private static final int STEPS_PER_MAPPING = 1 << 12;

  /**
   * Tables that point to themselves can hold 2^45 entries; what a person asks about ends after 16
   * million (about two seconds), and the answer says so. Who asks for little waits for less.
   */
  private static final int MAX_STEPS = 1 << 24;

  private final int limit;
  private final List<Mapping> found = new ArrayList<>();
  private long left;
  private long iova;
  private boolean ended;
  private boolean truncated;

  /**
   * A search from address 0 on.
   *
   * @param limit at most so many mappings; with 0 nothing is asked for, and that counts as
   *     truncated
   */
  public RangeSearch(int limit) {
    this.limit = limit;
    left = limit == 0 ? 0 : Math.min(MAX_STEPS, STEPS + (long) STEPS_PER_MAPPING * limit);
  }

  /** Whether there is an address to ask for. */
  public boolean asks() {
    if (!ended && left-- == 0) {
      ended = true;
      truncated = true;
    }
    return !ended;
  }

  /** The address to ask for. */
  public long iova() {
    return iova;
  }

  /**
   * The address is reached; joined with the range before it if that goes on there.
   *
   * @param shift the answer holds for the aligned {@code 2^shift} bytes around the address
   * @param message whether it leads to an interrupt target of the unit
   */
  public void found(int shift, long pa, int permissions, boolean message) {
    long size = (1L << shift) - (iova & ((1L << shift) - 1));
    Mapping last = found.isEmpty() ? null : found.getLast();
    if (last != null
        && last.iova() + last.size() == iova
        && last.pa() + last.size() == pa
        && last.permissions() == permissions
        && last.message() == message) {
      found.removeLast();
      found.add(new Mapping(last.iova(), last.size() + size, last.pa(), permissions, message));
    } else if (found.size() == limit) {
      ended = true;
      truncated = true;
    } else {
      found.add(new Mapping(iova, size, pa, permissions, message));
    }
  }

  /**
   * Goes on behind what was answered.
   *
   * @param shift the answer holds for the aligned {@code 2^shift} bytes around the address; from 63
   *     on for all the rest
   * @param sign the bit that addresses are sign-extended from: between the two halves of such a
   *     space nothing can be mapped; {@link #NO_SIGN} if they are not
   */
  public void advance(int shift, int sign) {
    if (ended) {
      return;
    }
    long next = shift >= 63 ? 0 : (iova | ((1L << shift) - 1)) + 1;
    if (next == 1L << sign) {
      next = -1L << sign;
    }
    if (Long.compareUnsigned(next, iova) <= 0) {
      ended = true;
    } else {
      iova = next;
    }
  }

  /** What was found. */
  public View view() {
    return new View(Reach.TRANSLATED, null, found, truncated);
  }
}
