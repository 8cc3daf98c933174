package org.iommu4j.core.iotlb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class MicroTlbTest {
  private final MicroTlb tlb = new MicroTlb(4);

  @Test
  void answers_any_address_of_a_page_that_was_kept() {
    tlb.keep(5, 8, 0x1234_5678L, 0x9_9678L, 42);
    MicroTlb.Entry e = tlb.lookup(5, 8, 0x1234_5ff8L);
    assertThat(e).isNotNull();
    assertThat(e.pa(0x1234_5ff8L)).isEqualTo(0x9_9ff8L);
    assertThat(e.answer()).isEqualTo(42);
  }

  @Test
  void knows_nothing_at_first_not_even_page_zero() {
    assertThat(tlb.lookup(0, 0, 0)).isNull();
  }

  @Test
  void an_entry_of_another_epoch_does_not_count() {
    tlb.keep(5, 8, 0x1000, 0x9000, 42);
    assertThat(tlb.lookup(6, 8, 0x1000)).isNull();
  }

  @Test
  void an_entry_of_another_requester_does_not_count() {
    tlb.keep(5, 8, 0x1000, 0x9000, 42);
    assertThat(tlb.lookup(5, 9, 0x1000)).isNull();
  }

  @Test
  void pages_that_differ_only_above_bit_43_are_different_pages() {
    tlb.keep(5, 8, 0x1000, 0x9000, 42);
    assertThat(tlb.lookup(5, 8, 0x1000L | 1L << 44)).isNull();
    assertThat(tlb.lookup(5, 8, 0x1000L | 1L << 63)).isNull();
  }

  @Test
  void a_page_gives_way_to_one_that_shares_its_place() {
    tlb.keep(5, 8, 0x1000, 0x9000, 42);
    tlb.keep(5, 8, 0x5000, 0xa000, 43);
    assertThat(tlb.lookup(5, 8, 0x1000)).isNull();
    assertThat(tlb.lookup(5, 8, 0x5000)).isNotNull();
  }

  @Test
  void refuses_a_size_that_is_no_power_of_two() {
    assertThatThrownBy(() -> new MicroTlb(3)).hasMessageContaining("3 entries");
  }
}
