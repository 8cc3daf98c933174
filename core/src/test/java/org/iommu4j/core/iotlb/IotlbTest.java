package org.iommu4j.core.iotlb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class IotlbTest {
  private static final long TAG = 0x51;
  private static final long OTHER = 0x52;

  private final Scope scope = new Scope();

  private static Iotlb cache(int sets, int ways, Replacement replacement) {
    return new Iotlb(new Geometry(sets, ways, replacement));
  }

  private static int fill(Iotlb c, long tag, long iova, int shift, long data) {
    return c.fill(c.generation(), tag, iova, shift, data);
  }

  @Test
  void an_empty_cache_misses() {
    assertThat(cache(4, 2, Replacement.FIFO).lookup(TAG, 0)).isEqualTo(Iotlb.MISS);
    assertThat(cache(4, 2, Replacement.FIFO).invalidate(scope.everything())).isZero();
  }

  @Test
  void an_entry_answers_for_its_page_and_its_tag_only() {
    Iotlb c = cache(16, 2, Replacement.FIFO);
    assertThat(fill(c, TAG, 0x12345, 12, 7)).isEqualTo(1);
    assertThat(c.lookup(TAG, 0x12000)).isEqualTo(7);
    assertThat(c.lookup(TAG, 0x12fff)).isEqualTo(7);
    assertThat(c.lookup(TAG, 0x13000)).isEqualTo(Iotlb.MISS);
    assertThat(c.lookup(TAG, 0x11fff)).isEqualTo(Iotlb.MISS);
    assertThat(c.lookup(OTHER, 0x12000)).isEqualTo(Iotlb.MISS);
  }

  @Test
  void a_superpage_takes_one_entry_of_any_size() {
    Iotlb c = cache(16, 16, Replacement.FIFO);
    int[] shifts = {12, 16, 21, 30, 39, 48, 63};
    for (int i = 0; i < shifts.length; i++) {
      long iova = Long.MIN_VALUE | (i == 6 ? 0 : 1L << shifts[i]);
      assertThat(fill(c, TAG, iova, shifts[i], i + 1)).isEqualTo(1);
      assertThat(c.lookup(TAG, iova | ((1L << shifts[i]) - 1))).isEqualTo(i + 1);
    }
    assertThat(c.size()).isEqualTo(shifts.length);
  }

  @Test
  void the_smallest_of_overlapping_entries_answers() {
    Iotlb c = cache(16, 4, Replacement.FIFO);
    fill(c, TAG, 0, 21, 1);
    fill(c, TAG, 0x3000, 12, 2);
    assertThat(c.lookup(TAG, 0x3000)).isEqualTo(2);
    assertThat(c.lookup(TAG, 0x4000)).isEqualTo(1);
  }

  @Test
  void filling_the_same_page_again_replaces_its_entry() {
    Iotlb c = cache(1, 4, Replacement.FIFO);
    fill(c, TAG, 0x1000, 12, 1);
    assertThat(fill(c, TAG, 0x1000, 12, 2)).isEqualTo(1);
    assertThat(c.size()).isEqualTo(1);
    assertThat(c.lookup(TAG, 0x1000)).isEqualTo(2);
  }

  @Test
  void the_first_filled_gives_way_in_fifo() {
    Iotlb c = cache(1, 3, Replacement.FIFO);
    for (int i = 0; i < 3; i++) {
      assertThat(fill(c, TAG, i << 12, 12, i + 1)).isEqualTo(1);
    }
    c.lookup(TAG, 0);
    assertThat(fill(c, TAG, 0x3000, 12, 4)).isEqualTo(2);
    assertThat(c.lookup(TAG, 0)).isEqualTo(Iotlb.MISS);
    fill(c, TAG, 0x4000, 12, 5);
    assertThat(c.lookup(TAG, 0x1000)).isEqualTo(Iotlb.MISS);
    assertThat(c.lookup(TAG, 0x2000)).isEqualTo(3);
  }

  @Test
  void the_least_recently_used_gives_way_in_lru() {
    Iotlb c = cache(1, 3, Replacement.LRU);
    for (int i = 0; i < 3; i++) {
      fill(c, TAG, i << 12, 12, i + 1);
    }
    c.lookup(TAG, 0);
    c.lookup(TAG, 0x2000);
    fill(c, TAG, 0x3000, 12, 4);
    assertThat(c.lookup(TAG, 0x1000)).isEqualTo(Iotlb.MISS);
    assertThat(c.lookup(TAG, 0)).isEqualTo(1);
    assertThat(c.lookup(TAG, 0x2000)).isEqualTo(3);
  }

  @Test
  void any_gives_way_in_random_and_only_one() {
    Iotlb c = cache(1, 8, Replacement.RANDOM);
    for (int i = 0; i < 100; i++) {
      fill(c, TAG, (long) i << 12, 12, i + 1);
      assertThat(c.lookup(TAG, (long) i << 12)).isEqualTo(i + 1);
      assertThat(c.size()).isEqualTo(Math.min(i + 1, 8));
    }
  }

  @Test
  void a_walk_that_began_before_an_invalidation_does_not_fill() {
    Iotlb c = cache(4, 2, Replacement.FIFO);
    long seen = c.generation();
    c.invalidate(scope.everything().tag(-1, OTHER).iova(0x9000, 0x9fff));
    assertThat(c.fill(seen, TAG, 0x1000, 12, 1)).isZero();
    assertThat(c.lookup(TAG, 0x1000)).isEqualTo(Iotlb.MISS);
    assertThat(c.fill(c.generation(), TAG, 0x1000, 12, 1)).isEqualTo(1);
  }

  @Test
  void a_refused_fill_leaves_what_was_there() {
    Iotlb c = cache(1, 1, Replacement.FIFO);
    fill(c, TAG, 0x1000, 12, 1);
    long seen = c.generation();
    c.invalidate(scope.everything().tag(-1, OTHER));
    assertThat(c.fill(seen, TAG, 0x2000, 12, 2)).isZero();
    assertThat(c.lookup(TAG, 0x1000)).isEqualTo(1);
  }

  @Test
  void scopes_select_by_tag_bits_data_bits_and_both_addresses() {
    Iotlb c = cache(16, 4, Replacement.FIFO);
    c.fill(c.generation(), 0x11, 0x1000, 12, 0x10, 0xa000, 0, 0);
    c.fill(c.generation(), 0x12, 0x2000, 12, 0x11, 0xb000, 0, 0);
    c.fill(c.generation(), 0x21, 0x1000, 12, 0x10, 0xb000, 0, 0);
    assertThat(c.invalidate(scope.everything().tag(0xf0, 0x30))).isZero();
    assertThat(c.invalidate(scope.everything().tag(0xf0, 0x10).data(1, 1))).isEqualTo(1);
    assertThat(c.lookup(0x12, 0x2000)).isEqualTo(Iotlb.MISS);
    assertThat(c.invalidate(scope.everything().aux(0xb000, 0xbfff))).isEqualTo(1);
    assertThat(c.lookup(0x21, 0x1000)).isEqualTo(Iotlb.MISS);
    assertThat(c.invalidate(scope.everything().iova(0x1fff, 0x1fff))).isEqualTo(1);
    assertThat(c.size()).isZero();
  }

  @Test
  void tag_conditions_add_up() {
    Iotlb c = cache(16, 4, Replacement.FIFO);
    fill(c, 0x11, 0, 12, 1);
    fill(c, 0x12, 0, 12, 1);
    fill(c, 0x22, 0, 12, 1);
    assertThat(c.invalidate(scope.everything().tag(0xf0, 0x10).tag(0x0f, 0x02))).isEqualTo(1);
    assertThat(c.lookup(0x12, 0)).isEqualTo(Iotlb.MISS);
    assertThat(c.size()).isEqualTo(2);
  }

  @Test
  void an_address_inside_a_superpage_removes_it() {
    Iotlb c = cache(16, 4, Replacement.FIFO);
    fill(c, TAG, 0x4000_0000, 30, 1);
    fill(c, TAG, 0x8000_0000L, 30, 2);
    assertThat(c.invalidate(scope.everything().tag(-1, TAG).iova(0x7fff_f000, 0x7fff_ffff)))
        .isEqualTo(1);
    assertThat(c.lookup(TAG, 0x4000_0000)).isEqualTo(Iotlb.MISS);
    assertThat(c.lookup(TAG, 0x8000_0000L)).isEqualTo(2);
  }

  @Test
  void any_address_of_a_leaf_removes_all_parts_of_it() {
    Iotlb c = cache(16, 4, Replacement.FIFO);
    // Two small pages out of one first-stage leaf of 2 MiB, one page out of none.
    c.fill(c.generation(), TAG, 0x20_1000, 12, 1, 0x9000, 21, 0);
    c.fill(c.generation(), TAG, 0x20_5000, 12, 2, 0xa000, 21, 0);
    c.fill(c.generation(), TAG, 0x40_5000, 12, 3, 0xb000, 0, 0);
    assertThat(c.invalidate(scope.everything().tag(-1, TAG).iova(0x3f_f000, 0x3f_ffff)))
        .isEqualTo(2);
    assertThat(c.lookup(TAG, 0x40_5000)).isEqualTo(3);
    // The same behind the first stage.
    c.fill(c.generation(), TAG, 0x20_1000, 12, 1, 0x80_9000, 0, 21);
    c.fill(c.generation(), TAG, 0x7000, 12, 1, 0xa0_9000, 0, 21);
    assertThat(c.invalidate(scope.everything().aux(0x80_0000, 0x80_0fff))).isEqualTo(1);
    assertThat(c.lookup(TAG, 0x7000)).isEqualTo(1);
  }

  @Test
  void ranges_are_unsigned_and_reach_the_end_of_the_address_space() {
    Iotlb c = cache(16, 4, Replacement.FIFO);
    fill(c, TAG, -4096, 12, 1);
    fill(c, TAG, 0, 12, 2);
    assertThat(c.invalidate(scope.everything().tag(-1, TAG).iova(0x8000_0000_0000_0000L, -1)))
        .isEqualTo(1);
    assertThat(c.lookup(TAG, 0)).isEqualTo(2);
    assertThat(c.lookup(TAG, -1)).isEqualTo(Iotlb.MISS);
    assertThat(c.invalidate(scope.everything().tag(-1, TAG).iova(0, -1))).isEqualTo(1);
  }

  @Test
  void a_geometry_out_of_range_is_refused() {
    assertThatThrownBy(() -> new Geometry(3, 1, Replacement.FIFO)).hasMessageContaining("3");
    assertThatThrownBy(() -> new Geometry(0, 1, Replacement.FIFO)).hasMessageContaining("0");
    assertThatThrownBy(() -> new Geometry(1 << 21, 1, Replacement.FIFO))
        .hasMessageContaining("2^20");
    assertThatThrownBy(() -> new Geometry(1, 65, Replacement.LRU)).hasMessageContaining("65");
    assertThat(new Geometry(4, 3, Replacement.LRU).entries()).isEqualTo(12);
  }
}
