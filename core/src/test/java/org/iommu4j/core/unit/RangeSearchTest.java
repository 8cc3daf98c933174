package org.iommu4j.core.unit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.NavigableMap;
import java.util.TreeMap;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.Inspector.Mapping;
import org.iommu4j.core.dma.Inspector.View;
import org.junit.jupiter.api.Test;

class RangeSearchTest {
  private static final int RW = Access.READ | Access.WRITE;

  /** By first address: where a page of 4 KiB leads. */
  private final NavigableMap<Long, Mapping> pages = new TreeMap<>(Long::compareUnsigned);

  private int asked;

  private void page(long iova, long pa, int permissions, boolean message) {
    pages.put(iova, new Mapping(iova, 4096, pa, permissions, message));
  }

  private View search(int limit, int sign) {
    RangeSearch search = new RangeSearch(limit);
    while (search.asks()) {
      asked++;
      long iova = search.iova();
      Mapping m = pages.get(iova & -4096L);
      if (m != null) {
        search.found(12, m.pa() + (iova & 4095), m.permissions(), m.message());
        search.advance(12, sign);
      } else {
        // The largest aligned hole around the address.
        int shift = 12;
        while (shift < 64 && isEmpty(iova, shift + 1)) {
          shift++;
        }
        search.advance(shift == 63 ? 62 : shift, sign);
      }
    }
    return search.view();
  }

  private boolean isEmpty(long iova, int shift) {
    long first = shift == 64 ? 0 : iova & -1L << shift;
    long last = shift == 64 ? -1 : first | ~(-1L << shift);
    Long at = pages.ceilingKey(first);
    return at == null || Long.compareUnsigned(at, last) > 0;
  }

  @Test
  void nothing_is_found_in_one_step() {
    View view = search(10, RangeSearch.NO_SIGN);
    assertThat(view.mappings()).isEmpty();
    assertThat(view.truncated()).isFalse();
    assertThat(asked).isEqualTo(1);
  }

  @Test
  void who_asks_for_nothing_is_told_that_it_is_not_all() {
    View view = search(0, RangeSearch.NO_SIGN);
    assertThat(view.truncated()).isTrue();
    assertThat(asked).isZero();
  }

  @Test
  void adjacent_pages_are_joined_unless_something_differs() {
    page(0x1000, 0x8000_0000L, RW, false);
    page(0x2000, 0x8000_1000L, RW, false);
    page(0x3000, 0x8000_2000L, Access.READ, false);
    page(0x4000, 0x9000_0000L, Access.READ, false);
    page(0x5000, 0x9000_1000L, Access.READ, true);
    assertThat(search(10, RangeSearch.NO_SIGN).mappings())
        .containsExactly(
            new Mapping(0x1000, 0x2000, 0x8000_0000L, RW, false),
            new Mapping(0x3000, 0x1000, 0x8000_2000L, Access.READ, false),
            new Mapping(0x4000, 0x1000, 0x9000_0000L, Access.READ, false),
            new Mapping(0x5000, 0x1000, 0x9000_1000L, Access.READ, true));
  }

  @Test
  void more_than_asked_for_is_said_and_left_out() {
    for (int n = 0; n < 4; n++) {
      page(0x1_0000L * n, 0x8000_0000L, RW, false);
    }
    View view = search(3, RangeSearch.NO_SIGN);
    assertThat(view.mappings()).hasSize(3);
    assertThat(view.truncated()).isTrue();
    assertThat(search(4, RangeSearch.NO_SIGN).truncated()).isFalse();
  }

  @Test
  void the_last_mapping_asked_for_is_whole() {
    page(0x1000, 0x8000_0000L, RW, false);
    page(0x2000, 0x8000_1000L, RW, false);
    page(0x9000, 0x8000_0000L, RW, false);
    assertThat(search(1, RangeSearch.NO_SIGN).mappings())
        .containsExactly(new Mapping(0x1000, 0x2000, 0x8000_0000L, RW, false));
  }

  @Test
  void the_gap_of_a_sign_extended_space_is_passed_over() {
    page((1L << 47) - 4096, 0x8000_0000L, RW, false);
    page(-1L << 47, 0x8000_1000L, RW, false);
    assertThat(search(10, 47).mappings())
        .containsExactly(
            new Mapping((1L << 47) - 4096, 4096, 0x8000_0000L, RW, false),
            new Mapping(-1L << 47, 4096, 0x8000_1000L, RW, false));
  }

  @Test
  void the_last_page_of_all_ends_the_search() {
    page(-4096, 0x8000_0000L, RW, false);
    View view = search(10, RangeSearch.NO_SIGN);
    assertThat(view.mappings()).containsExactly(new Mapping(-4096, 4096, 0x8000_0000L, RW, false));
    assertThat(view.truncated()).isFalse();
  }

  @Test
  void tables_without_end_end_the_search() {
    RangeSearch search = new RangeSearch(1);
    long steps = 0;
    while (search.asks()) {
      steps++;
      search.advance(12, RangeSearch.NO_SIGN);
    }
    assertThat(search.view().truncated()).isTrue();
    assertThat(steps).isEqualTo(RangeSearch.STEPS + 4096);
  }
}
