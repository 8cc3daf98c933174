package org.iommu4j.core.bits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.bits.Field.Kind;
import org.junit.jupiter.api.Test;

class RegisterFileTest {
  private static final Field RO = Field.bits("ro", 7, 0).as(Kind.RO);
  private static final Field RW = Field.bits("rw", 15, 8);
  private static final Field W1C = Field.bits("w1c", 23, 16).as(Kind.RW1C);
  private static final Field W1S = Field.bits("w1s", 31, 24).as(Kind.RW1S);
  private static final Field WARL = Field.bits("warl", 39, 32).as(Kind.WARL);
  private static final Field WO = Field.bits("wo", 47, 40).as(Kind.WO);
  private static final Register ALL = Register.of64("all", 0x10, RO, RW, W1C, W1S, WARL, WO);
  private static final Register WORD = Register.of32("word", 0x20, Field.bits("v", 31, 0));
  private static final Register NEXT = Register.of32("next", 0x24, Field.bits("v", 31, 0));
  private static final Register HIGH = Register.of64("high", 0x28, Field.bits("v", 63, 0));

  private final RegisterFile file = new RegisterFile(0x100);

  private void reset(long value) {
    file.add(ALL, value);
  }

  @Test
  void a_write_changes_read_write_fields_only() {
    reset(0x1111);
    file.write(0x10, 8, 0xffff);
    assertThat(file.get(ALL, RW)).isEqualTo(0xff);
    assertThat(file.get(ALL, RO)).isEqualTo(0x11);
  }

  @Test
  void write_one_clears_only_the_bits_written() {
    reset(W1C.of(0b1111));
    file.write(0x10, 8, W1C.of(0b0101));
    assertThat(file.get(ALL, W1C)).isEqualTo(0b1010);
    file.write(0x10, 8, 0);
    assertThat(file.get(ALL, W1C)).isEqualTo(0b1010);
  }

  @Test
  void write_one_sets_and_zero_keeps() {
    reset(W1S.of(0b1000));
    file.write(0x10, 8, W1S.of(0b0011));
    assertThat(file.get(ALL, W1S)).isEqualTo(0b1011);
    file.write(0x10, 8, 0);
    assertThat(file.get(ALL, W1S)).isEqualTo(0b1011);
  }

  @Test
  void a_write_only_field_reads_zero_and_the_hardware_sees_it() {
    reset(0);
    file.write(0x10, 8, WO.of(0x5a));
    assertThat(file.read(0x10, 8)).isZero();
    assertThat(file.get(ALL, WO)).isEqualTo(0x5a);
  }

  @Test
  void bits_of_no_field_stay_zero() {
    reset(0);
    file.write(0x10, 8, -1);
    assertThat(file.get(ALL) >>> 48).isZero();
  }

  @Test
  void a_rule_decides_what_sticks_and_may_refuse_the_write() {
    file.add(ALL, RW.of(3), (before, w) -> WARL.get(w) > 2 ? before : w, null, null);
    file.write(0x10, 8, WARL.of(2) | RW.of(9));
    assertThat(file.get(ALL)).isEqualTo(WARL.of(2) | RW.of(9));
    file.write(0x10, 8, WARL.of(3) | RW.of(1));
    assertThat(file.get(ALL)).isEqualTo(WARL.of(2) | RW.of(9));
  }

  @Test
  void an_effect_sees_before_after_and_what_was_written() {
    List<Long> seen = new ArrayList<>();
    file.add(
        ALL,
        RW.of(1),
        null,
        (before, after, written) -> seen.addAll(List.of(before, after, written)),
        null);
    file.write(0x10, 8, RW.of(2) | RO.of(7));
    assertThat(seen).containsExactly(RW.of(1), RW.of(2), RW.of(2) | RO.of(7));
  }

  @Test
  void the_hardwares_own_update_knows_no_kinds_and_has_no_effect() {
    List<Long> seen = new ArrayList<>();
    file.add(ALL, 0, (b, w) -> 0, (b, a, w) -> seen.add(a), null);
    file.post(ALL, RO, 0x42);
    assertThat(file.get(ALL, RO)).isEqualTo(0x42);
    file.post(ALL, 0x99);
    assertThat(file.get(ALL)).isEqualTo(0x99);
    assertThat(seen).isEmpty();
  }

  @Test
  void a_source_answers_reads() {
    file.add(HIGH, 7, null, null, stored -> stored + 100);
    assertThat(file.read(0x28, 8)).isEqualTo(107);
    assertThat(file.read(0x28, 4)).isEqualTo(107);
    assertThat(file.get(HIGH)).isEqualTo(7);
  }

  @Test
  void small_accesses_are_for_those_who_ask() {
    reset(-1);
    file.write(0x11, 1, 0);
    file.write(0x10, 2, 0);
    assertThat(file.get(ALL)).isEqualTo(-1);
    assertThat(file.read(0x11, 1)).isZero();
    RegisterFile words = new RegisterFile(0x100, 2);
    words.add(HIGH, -1);
    words.write(0x28, 1, 0);
    words.write(0x2a, 2, 0);
    assertThat(words.get(HIGH)).isEqualTo(0xffff_ffff_0000_ffffL);
  }

  @Test
  void bytes_are_read_and_written_alone() {
    RegisterFile bytes = new RegisterFile(0x100, 1);
    bytes.add(HIGH, 0x1122_3344_5566_7788L);
    bytes.add(NEXT, 0x99aa_bbccL);
    for (int i = 0; i < 8; i++) {
      assertThat(bytes.read(0x28 + i, 1)).isEqualTo(0x88 - 0x11 * i);
    }
    assertThat(bytes.read(0x2e, 2)).isEqualTo(0x1122);
    assertThat(bytes.read(0x26, 2)).isEqualTo(0x99aa);
    bytes.write(0x2b, 1, 0xffL << 8 | 0xee);
    assertThat(bytes.get(HIGH)).isEqualTo(0x1122_3344_ee66_7788L);
    bytes.write(0x2e, 2, 0xdead_beefL);
    assertThat(bytes.get(HIGH)).isEqualTo(0xbeef_3344_ee66_7788L);
    bytes.write(0x25, 1, 0x11);
    assertThat(bytes.get(NEXT)).isEqualTo(0x99aa_11ccL);
  }

  @Test
  void a_byte_touches_the_fields_in_it_and_no_others() {
    RegisterFile bytes = new RegisterFile(0x100, 1);
    bytes.add(ALL, W1C.of(0xff) | W1S.of(0x0f) | RW.of(0x11) | RO.of(0x22));
    bytes.write(0x11, 1, 0x33);
    bytes.write(0x10, 1, 0xff);
    assertThat(bytes.get(ALL)).isEqualTo(W1C.of(0xff) | W1S.of(0x0f) | RW.of(0x33) | RO.of(0x22));
    bytes.write(0x12, 1, 0x03);
    bytes.write(0x13, 1, 0x10);
    assertThat(bytes.get(ALL)).isEqualTo(W1C.of(0xfc) | W1S.of(0x1f) | RW.of(0x33) | RO.of(0x22));
    bytes.write(0x15, 1, 0x5a);
    bytes.write(0x14, 1, 0x01);
    assertThat(bytes.get(ALL, WO)).isEqualTo(0x5a);
    assertThat(bytes.read(0x15, 1)).isZero();
  }

  @Test
  void accesses_across_their_own_size_do_nothing() {
    RegisterFile bytes = new RegisterFile(0x100, 1);
    bytes.add(HIGH, 0x1122_3344_5566_7788L);
    for (int[] access : new int[][] {{0x29, 2}, {0x2a, 4}, {0x2c, 8}, {0x28, 3}, {0x28, 16}}) {
      bytes.write(access[0], access[1], 0);
      assertThat(bytes.read(access[0], access[1])).isZero();
    }
    assertThat(bytes.get(HIGH)).isEqualTo(0x1122_3344_5566_7788L);
  }

  @Test
  void halves_of_a_wide_register_are_read_and_written_alone() {
    file.add(HIGH, 0x1111_2222_3333_4444L);
    assertThat(file.read(0x28, 4)).isEqualTo(0x3333_4444L);
    assertThat(file.read(0x2c, 4)).isEqualTo(0x1111_2222L);
    file.write(0x2c, 4, 0xffff_ffff_aaaa_bbbbL);
    assertThat(file.read(0x28, 8)).isEqualTo(0xaaaa_bbbb_3333_4444L);
    file.write(0x28, 4, 0xffff_ffff_cccc_ddddL);
    assertThat(file.read(0x28, 8)).isEqualTo(0xaaaa_bbbb_cccc_ddddL);
  }

  @Test
  void writing_one_half_does_nothing_to_write_one_bits_of_the_other() {
    reset(W1C.of(0xff) | W1S.of(0x01));
    file.write(0x14, 4, 0);
    assertThat(file.get(ALL, W1C)).isEqualTo(0xff);
    assertThat(file.get(ALL, W1S)).isEqualTo(0x01);
  }

  @Test
  void the_other_half_of_a_running_counter_is_what_it_reads_now() {
    long[] clock = {0x0000_0005_0000_0000L};
    file.add(HIGH, 0, null, (b, after, w) -> clock[0] = after, stored -> clock[0]);
    file.write(0x28, 4, 9);
    assertThat(clock[0]).isEqualTo(0x0000_0005_0000_0009L);
  }

  @Test
  void eight_bytes_over_two_narrow_registers_are_two_accesses() {
    file.add(WORD, 1);
    file.add(NEXT, 2);
    assertThat(file.read(0x20, 8)).isEqualTo(0x2_0000_0001L);
    file.write(0x20, 8, 0x4_0000_0003L);
    assertThat(file.get(WORD)).isEqualTo(3);
    assertThat(file.get(NEXT)).isEqualTo(4);
  }

  @Test
  void anything_but_aligned_words_and_doublewords_reads_zero_and_writes_nothing() {
    file.add(WORD, 0x7777_7777);
    file.add(HIGH, 0x8888_8888);
    for (int size : new int[] {0, 1, 2, 3, 5, 16, -4}) {
      assertThat(file.read(0x20, size)).isZero();
      file.write(0x20, size, 0x1234);
    }
    for (long offset : new long[] {0x21, 0x22, 0x26, -4, 0x100, 0xfc + 1, Long.MAX_VALUE}) {
      assertThat(file.read(offset, 4)).isZero();
      file.write(offset, 4, 0x1234);
    }
    for (long offset : new long[] {0x24, 0x2c, 0xfc, -8, 0x100, Long.MAX_VALUE & -8}) {
      file.write(offset, 8, -1);
      assertThat(file.read(offset, 8)).isZero();
    }
    assertThat(file.get(WORD)).isEqualTo(0x7777_7777);
    assertThat(file.get(HIGH)).isEqualTo(0x8888_8888);
  }

  @Test
  void an_absent_register_reads_zero_and_ignores_everything() {
    file.post(WORD, 5);
    file.post(WORD, WORD.fields().getFirst(), 5);
    file.write(0x20, 4, 5);
    assertThat(file.read(0x20, 4)).isZero();
    assertThat(file.get(WORD)).isZero();
    assertThat(file.has(WORD)).isFalse();
    file.add(WORD, 0);
    assertThat(file.has(WORD)).isTrue();
  }

  @Test
  void two_registers_cannot_share_bytes() {
    file.add(HIGH, 0);
    assertThatThrownBy(() -> file.add(Register.of32("low", 0x28), 0)).hasMessageContaining("low");
    assertThatThrownBy(() -> file.add(Register.of32("top", 0x2c), 0)).hasMessageContaining("top");
    file.add(NEXT, 0);
    assertThatThrownBy(() -> file.add(Register.of64("both", 0x20), 0)).hasMessageContaining("both");
  }

  @Test
  void registers_are_listed_by_offset_and_wide_ones_once() {
    file.add(HIGH, 0);
    file.add(WORD, 0);
    reset(0);
    assertThat(file.registers()).containsExactly(ALL, WORD, HIGH);
  }

  @Test
  void a_declaration_whose_fields_overlap_or_stick_out_is_refused() {
    assertThatThrownBy(() -> Register.of32("r", 0, Field.bits("a", 7, 0), Field.bits("b", 15, 7)))
        .hasMessageContaining("r.b");
    assertThatThrownBy(() -> Register.of32("r", 0, Field.bit("a", 32))).hasMessageContaining("r.a");
    assertThatThrownBy(() -> Register.of64("r", 4)).hasMessageContaining("0x4");
    assertThatThrownBy(() -> new Register("r", 0, 2, List.of())).hasMessageContaining("width 2");
  }

  @Test
  void a_registers_mask_of_a_kind_is_that_of_its_fields() {
    assertThat(ALL.mask(Kind.RW1C)).isEqualTo(W1C.mask());
    assertThat(ALL.mask(Kind.IGNORED)).isZero();
    assertThat(ALL.layout().words().getFirst()).isEqualTo(ALL.fields());
  }
}
