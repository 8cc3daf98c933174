package org.iommu4j.driver.support;

import java.util.ArrayList;
import java.util.List;

/**
 * The {@link Fixture}s of one domain. Several devices may bring the same one, or ones that overlap:
 * a page is mapped as long as any of them has it. Guarded by the domain's lock.
 */
final class Fixtures {
  /** Takes the pieces of a range. */
  @FunctionalInterface
  interface Piece {
    void at(long iova, long size);
  }

  private final List<Fixture> held = new ArrayList<>(2);

  boolean isEmpty() {
    return held.isEmpty();
  }

  boolean overlaps(long from, long to) {
    for (Fixture f : held) {
      if (f.overlaps(from, to)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Checks that a fixture agrees with those that are here.
   *
   * @throws IllegalStateException if the same address would lead to two places
   */
  void check(Fixture fixture) {
    for (Fixture f : held) {
      if (f.overlaps(fixture.iova(), fixture.last())
          && (f.pa() - f.iova() != fixture.pa() - fixture.iova()
              || f.permissions() != fixture.permissions())) {
        throw new IllegalStateException(
            "0x%x..0x%x is to lead to 0x%x, and for another device of the domain to 0x%x: attach them"
                    .formatted(
                        fixture.iova(),
                        fixture.last(),
                        fixture.pa(),
                        f.pa() - f.iova() + fixture.iova())
                + " to different domains");
      }
    }
  }

  void add(Fixture fixture) {
    held.add(fixture);
  }

  /** Whether it was here. */
  boolean remove(Fixture fixture) {
    return held.remove(fixture);
  }

  /** The parts of a range that belong to no fixture, ascending. */
  void gaps(long from, long to, Piece piece) {
    for (long at = from; at <= to; ) {
      long end = at;
      long next = to;
      boolean inside = false;
      for (Fixture f : held) {
        if (f.overlaps(at, at)) {
          inside = true;
          end = Math.max(end, f.last());
        } else if (f.iova() > at) {
          next = Math.min(next, f.iova() - 1);
        }
      }
      if (inside) {
        at = end + 1;
      } else {
        piece.at(at, next - at + 1);
        at = next + 1;
      }
    }
  }

  /** Bytes that fixtures have. */
  long bytes() {
    long[] sum = new long[1];
    Fixtures before = new Fixtures();
    for (Fixture f : held) {
      before.gaps(f.iova(), f.last(), (at, size) -> sum[0] += size);
      before.add(f);
    }
    return sum[0];
  }
}
