package org.iommu4j.core.iotlb;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.iommu4j.core.testing.Property;
import org.junit.jupiter.api.Test;

/** Random operations on a cache against a list of what was ever put in and not removed since. */
class IotlbPropertyTest {
  private static final int[] SHIFTS = {12, 12, 12, 16, 21, 21, 30, 39};

  private sealed interface Step {}

  private record Fill(
      long tag, long iova, int shift, long data, long aux, int leaf, int auxLeaf, boolean stale)
      implements Step {}

  private record Look(long tag, long iova) implements Step {}

  private record Drop(
      long tagMask,
      long tag,
      long dataMask,
      long data,
      boolean byIova,
      long first,
      long last,
      boolean byAux,
      long auxFirst,
      long auxLast)
      implements Step {
    boolean takes(Fill f) {
      return ((f.tag ^ tag) & tagMask) == 0
          && ((f.data ^ data) & dataMask) == 0
          && (!byIova || meet(f.iova, Math.max(f.shift, f.leaf), first, last))
          && (!byAux || meet(f.aux, Math.max(f.shift, f.auxLeaf), auxFirst, auxLast));
    }

    private static boolean meet(long address, int shift, long first, long last) {
      long page = address >>> shift; // at least 12 bits less, so never negative
      return first >>> shift <= page && page <= last >>> shift;
    }

    Scope scope() {
      Scope s = new Scope().everything().tag(tagMask, tag).data(dataMask, data);
      if (byIova) {
        s.iova(first, last);
      }
      return byAux ? s.aux(auxFirst, auxLast) : s;
    }
  }

  private static long address(RandomGenerator r) {
    // Few values in every bit range, so that entries collide, nest and touch.
    return (long) r.nextInt(4) << 39
        | (long) r.nextInt(3) << 30
        | (long) r.nextInt(3) << 21
        | (long) r.nextInt(32) << 12
        | (r.nextInt(8) == 0 ? Long.MIN_VALUE : 0);
  }

  private static Step step(RandomGenerator r) {
    return switch (r.nextInt(8)) {
      case 0, 1, 2 -> {
        int shift = SHIFTS[r.nextInt(SHIFTS.length)];
        yield new Fill(
            tag(r),
            address(r),
            shift,
            r.nextLong() | 1,
            address(r),
            r.nextInt(3) == 0 ? SHIFTS[r.nextInt(SHIFTS.length)] : 0,
            r.nextInt(3) == 0 ? SHIFTS[r.nextInt(SHIFTS.length)] : 0,
            r.nextInt(10) == 0);
      }
      case 3 -> drop(r);
      default -> new Look(tag(r), address(r) + r.nextInt(4096));
    };
  }

  private static Drop drop(RandomGenerator r) {
    long first = address(r);
    long auxFirst = address(r);
    return new Drop(
        r.nextInt(3) == 0 ? 0 : r.nextInt(2) == 0 ? -1 : 0xf0,
        tag(r),
        r.nextInt(3) == 0 ? 2 : 0,
        r.nextInt(4),
        r.nextInt(2) == 0,
        first,
        first | (4096L << r.nextInt(3) * 9) - 1,
        r.nextInt(4) == 0,
        auxFirst,
        auxFirst | (4096L << r.nextInt(3) * 9) - 1);
  }

  private static long tag(RandomGenerator r) {
    return 0x11 + 16 * r.nextInt(2) + r.nextInt(2);
  }

  private static void check(Geometry geometry, boolean complete) {
    Property.ofSequences("cache " + geometry, 200, 120, IotlbPropertyTest::step)
        .holds(
            steps -> {
              Iotlb cache = new Iotlb(geometry);
              List<Fill> present = new ArrayList<>();
              for (Step step : steps) {
                switch (step) {
                  case Fill f -> fill(cache, present, f);
                  case Look l -> look(cache, present, l, complete);
                  case Drop d -> {
                    cache.invalidate(d.scope());
                    present.removeIf(d::takes);
                  }
                }
              }
            });
  }

  private static void fill(Iotlb cache, List<Fill> present, Fill f) {
    long seen = cache.generation();
    if (f.stale) {
      cache.invalidate(new Scope().everything().tag(-1, 0));
    }
    int result = cache.fill(seen, f.tag, f.iova, f.shift, f.data, f.aux, f.leaf, f.auxLeaf);
    assertThat(result == 0).isEqualTo(f.stale);
    if (!f.stale) {
      present.removeIf(
          o -> o.tag == f.tag && o.shift == f.shift && o.iova >>> o.shift == f.iova >>> f.shift);
      present.add(f);
    }
  }

  private static void look(Iotlb cache, List<Fill> present, Look l, boolean complete) {
    long found = cache.lookup(l.tag, l.iova);
    List<Fill> fitting =
        present.stream()
            .filter(f -> f.tag == l.tag && f.iova >>> f.shift == l.iova >>> f.shift)
            .toList();
    if (found != Iotlb.MISS) {
      assertThat(fitting).extracting(Fill::data).contains(found);
    } else if (complete) {
      assertThat(fitting).isEmpty();
    }
  }

  @Test
  void a_large_cache_knows_exactly_what_was_filled_and_not_invalidated() {
    check(new Geometry(1, 64, Replacement.FIFO), false);
    check(new Geometry(256, 64, Replacement.FIFO), true);
  }

  @Test
  void a_small_cache_forgets_but_never_answers_what_is_gone() {
    for (Replacement replacement : Replacement.values()) {
      check(new Geometry(4, 2, replacement), false);
      check(new Geometry(1, 1, replacement), false);
    }
  }
}
