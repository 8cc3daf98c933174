package org.iommu4j.core.bits;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class LayoutTest {
  private static final Field V = Field.bit("V", 0);
  private static final Field PPN = Field.bits("PPN", 53, 10);
  private static final Field SPARE = Field.bits("spare", 9, 8).as(Field.Kind.IGNORED);
  private static final Layout LAYOUT =
      Layout.of("entry", "nowhere", V, Field.reserved(7, 1), SPARE, PPN, Field.reserved(63, 54))
          .then(Field.reserved(31, 0), Field.bits("id", 63, 32));

  @Test
  void decoding_leaves_out_reserved_and_ignored_fields_that_are_zero() {
    assertThat(LAYOUT.decode(0x401, 5L << 32))
        .containsExactly(
            new Layout.Value(V, 0, 1),
            new Layout.Value(PPN, 0, 1),
            new Layout.Value(Field.bits("id", 63, 32), 1, 5));
  }

  @Test
  void decoding_shows_reserved_and_ignored_fields_that_are_not_zero() {
    assertThat(LAYOUT.decode(0x102))
        .extracting(v -> v.field().name(), Layout.Value::value)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("V", 0L),
            org.assertj.core.groups.Tuple.tuple("reserved", 1L),
            org.assertj.core.groups.Tuple.tuple("spare", 1L),
            org.assertj.core.groups.Tuple.tuple("PPN", 0L));
  }

  @Test
  void words_that_were_not_read_are_left_out_and_surplus_words_too() {
    assertThat(LAYOUT.decode()).isEmpty();
    assertThat(LAYOUT.decode(1, 0, 7)).extracting(Layout.Value::word).doesNotContain(2);
  }

  @Test
  void the_reserved_mask_holds_reserved_bits_only() {
    assertThat(LAYOUT.reservedMask(0)).isEqualTo(0xffc0_0000_0000_00feL);
    assertThat(LAYOUT.reservedMask(1)).isEqualTo(0xffff_ffffL);
  }

  @Test
  void the_words_cannot_be_changed() {
    assertThat(LAYOUT.words()).hasSize(2);
    org.assertj.core.api.Assertions.assertThatThrownBy(() -> LAYOUT.words().add(List.of()))
        .isInstanceOf(UnsupportedOperationException.class);
  }
}
