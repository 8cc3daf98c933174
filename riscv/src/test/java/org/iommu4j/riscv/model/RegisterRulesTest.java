package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.random.RandomGenerator;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.testing.Property;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Registers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What registers a unit has, what they read after reset, and what sticks of a write. */
class RegisterRulesTest {
  private Rig rig = Rig.standard();

  @AfterEach
  void close() {
    rig.close();
  }

  private Rig use(Rig.Builder builder) {
    rig.close();
    rig = builder.build();
    return rig;
  }

  private long sticks(Register r, long value) {
    rig.write(r, value);
    return rig.read(r);
  }

  @Test
  void everything_is_zero_after_reset_but_the_identification() {
    for (Register r : Registers.ALL) {
      if (r.offset() == 0) {
        assertThat(rig.read(r)).isEqualTo(UnitConfig.ALL_CAPABILITIES);
      } else if (!r.name().equals("iohpmcycles")) {
        assertThat(rig.read(r)).as(r.name()).isZero();
      }
    }
    use(Rig.with().option("reset_iommu_mode", 1));
    assertThat(rig.read(Registers.DDTP)).isEqualTo(1);
  }

  @Test
  void reserved_registers_and_bits_read_zero_and_ignore_writes() {
    for (int at = 0x274; at < 0x2f8; at += 4) {
      rig.unit.write(at, 4, -1);
      assertThat(rig.unit.read(at, 4)).as("%x", at).isZero();
    }
    for (int at = 0x400; at < 0x1000; at += 8) {
      rig.unit.write(at, 8, -1);
      assertThat(rig.unit.read(at, 8)).isZero();
    }
    for (Register r : Registers.ALL) {
      long known = r.fields().stream().mapToLong(Field::mask).reduce(0, (a, b) -> a | b);
      rig.write(r, -1);
      assertThat(rig.read(r) & ~known).as(r.name()).isZero();
    }
  }

  @Test
  void accesses_that_are_no_aligned_words_or_doublewords_do_nothing() {
    rig.write(Registers.TR_REQ_IOVA, 0x1234_5000);
    for (int size : new int[] {1, 2}) {
      rig.unit.write(0x258, size, 0);
      assertThat(rig.unit.read(0x258, size)).isZero();
    }
    rig.unit.write(0x25a, 4, 0);
    rig.unit.write(0x25c, 8, 0);
    rig.unit.write(0x1258, 8, 0);
    rig.unit.write(-8, 8, -1);
    assertThat(rig.read(Registers.TR_REQ_IOVA)).isEqualTo(0x1234_5000);
    assertThat(rig.unit.read(0x1000, 4)).isZero();
    assertThat(rig.unit.read(Long.MAX_VALUE & -8, 8)).isZero();
  }

  @Test
  void halves_of_registers_may_be_written_in_either_order() {
    rig.unit.write(0x1c, 4, 0x1);
    rig.unit.write(0x18, 4, 0x2000_040a);
    assertThat(rig.read(Registers.CQB)).isEqualTo(0x1_2000_040aL);
    assertThat(rig.unit.read(0x18, 4)).isEqualTo(0x2000_040a);
    assertThat(rig.unit.read(0x1c, 4)).isEqualTo(1);
    rig.unit.write(0x300, 4, 0x8000_0004);
    rig.unit.write(0x304, 4, 0x00ff_0012);
    assertThat(rig.read(Registers.MSI_ADDR.getFirst())).isEqualTo(0xff_0012_8000_0004L);
    rig.unit.write(0x164, 4, 0x4000_0000);
    rig.unit.write(0x160, 4, 5);
    assertThat(rig.read(Registers.IOHPMEVT.getFirst())).isEqualTo(0x4000_0000_0000_0005L);
  }

  @Test
  void capabilities_cannot_be_written() {
    assertThat(sticks(Capabilities.REGISTER, 0)).isEqualTo(UnitConfig.ALL_CAPABILITIES);
  }

  @ParameterizedTest
  @CsvSource({
    // IGS, END: what of fctl can be changed
    "0, 1, 0, 5",
    "1, 1, 2, 7",
    "2, 1, 0, 7",
    "2, 0, 0, 6",
  })
  void fctl_bits_are_writable_as_the_capabilities_say(int igs, int end, int reset, int all) {
    use(Rig.with().with(Capabilities.IGS, igs).with(Capabilities.END, end));
    assertThat(rig.read(Registers.FCTL)).isEqualTo(reset);
    assertThat(sticks(Registers.FCTL, -1)).isEqualTo(all);
    assertThat(sticks(Registers.FCTL, 0)).isEqualTo(reset);
  }

  @Test
  void gxl_is_fixed_without_sv32x4() {
    use(Rig.with().without(Capabilities.SV32X4));
    assertThat(sticks(Registers.FCTL, 4)).isZero();
  }

  @Test
  void fctl_is_kept_while_the_unit_or_a_queue_is_in_use() {
    rig.write(Registers.DDTP, 1);
    assertThat(sticks(Registers.FCTL, 7)).isZero();
    rig.write(Registers.DDTP, 0);
    for (Register csr : List.of(Registers.CQCSR, Registers.FQCSR, Registers.PQCSR)) {
      rig.write(csr, 1);
      assertThat(sticks(Registers.FCTL, 7)).as(csr.name()).isZero();
      rig.write(csr, 0);
    }
    assertThat(sticks(Registers.FCTL, 7)).isEqualTo(7);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void ddtp_takes_the_modes_that_the_unit_has(int deepest) {
    use(Rig.with().option("max_iommu_mode", deepest));
    for (int mode = 0; mode < 16; mode++) {
      rig.write(Registers.DDTP, 0);
      long written = mode | 0x12_3456L << 10;
      boolean legal = mode <= deepest;
      assertThat(sticks(Registers.DDTP, written)).isEqualTo(legal ? written : 0);
    }
  }

  @Test
  void ddtp_never_shows_busy_and_keeps_no_reserved_bits() {
    assertThat(sticks(Registers.DDTP, -1L & ~0xf | 4)).isEqualTo(0x003f_ffff_ffff_fc04L);
  }

  @Test
  void ddtp_changes_its_depth_only_by_way_of_off_or_bare() {
    for (int from = 2; from <= 4; from++) {
      for (int to = 2; to <= 4; to++) {
        rig.write(Registers.DDTP, 0);
        rig.write(Registers.DDTP, from | 0x111L << 10);
        long after = sticks(Registers.DDTP, to | 0x222L << 10);
        assertThat(after).isEqualTo(from == to ? to | 0x222L << 10 : from | 0x111L << 10);
      }
      assertThat(sticks(Registers.DDTP, 1)).isEqualTo(1);
    }
  }

  @Test
  void page_numbers_are_cut_to_the_physical_address_size() {
    use(Rig.with().with(Capabilities.PAS, 40));
    long cut = 0xfffffffL << 10;
    assertThat(sticks(Registers.DDTP, 4 | -1L << 10)).isEqualTo(4 | cut);
    assertThat(sticks(Registers.CQB, 5 | -1L << 10)).isEqualTo(5 | cut);
    assertThat(sticks(Registers.FQB, 5 | -1L << 10)).isEqualTo(5 | cut);
    assertThat(sticks(Registers.PQB, 5 | -1L << 10)).isEqualTo(5 | cut);
    assertThat(sticks(Registers.MSI_ADDR.get(3), -1)).isEqualTo(0xff_ffff_fffcL);
  }

  @Test
  void indices_keep_as_many_bits_as_the_queue_has() {
    for (int log = 1; log <= 32; log++) {
      rig.write(Registers.CQB, log - 1);
      rig.write(Registers.FQB, log - 1);
      rig.write(Registers.PQB, log - 1);
      long mask = (1L << log) - 1;
      assertThat(sticks(Registers.CQT, 0xffff_ffffL)).isEqualTo(mask);
      assertThat(sticks(Registers.FQH, 0xffff_ffffL)).isEqualTo(mask);
      assertThat(sticks(Registers.PQH, 0xffff_ffffL)).isEqualTo(mask);
    }
  }

  @Test
  void indices_of_the_unit_cannot_be_written() {
    rig.queues();
    for (Register r : List.of(Registers.CQH, Registers.FQT, Registers.PQT)) {
      assertThat(sticks(r, 5)).as(r.name()).isZero();
    }
  }

  @Test
  void a_queue_that_is_on_keeps_its_base() {
    rig.queues();
    for (Register r : List.of(Registers.CQB, Registers.FQB, Registers.PQB)) {
      long before = rig.read(r);
      assertThat(sticks(r, 3)).as(r.name()).isEqualTo(before);
    }
  }

  @Test
  void registers_of_absent_features_read_zero() {
    use(
        Rig.with()
            .without(Capabilities.HPM, Capabilities.DBG, Capabilities.ATS)
            .without(Capabilities.QOSID));
    for (Register r : Registers.ALL) {
      if (r.name().matches("pq.*|iocount.*|iohpm.*|tr_.*|iommu_qosid")) {
        assertThat(sticks(r, -1)).as(r.name()).isZero();
      }
    }
    assertThat(sticks(Registers.ICVEC, -1)).isEqualTo(0x00ff);
    rig.write(Registers.TR_REQ_CTL, 1);
    assertThat(rig.read(Registers.TR_RESPONSE)).isZero();
  }

  @Test
  void wired_units_have_no_message_table() {
    use(Rig.with().with(Capabilities.IGS, Capabilities.IGS_WSI));
    for (int v = 0; v < 16; v++) {
      assertThat(sticks(Registers.MSI_ADDR.get(v), -1)).isZero();
      assertThat(sticks(Registers.MSI_DATA.get(v), -1)).isZero();
      assertThat(sticks(Registers.MSI_VEC_CTL.get(v), -1)).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 0000", "1, 1111", "2, 3333", "3, 7777", "4, ffff"})
  void vectors_have_the_bits_that_the_unit_has(int bits, String all) {
    use(Rig.with().option("vector_bits", bits));
    assertThat(sticks(Registers.ICVEC, -1)).isEqualTo(Long.parseLong(all, 16));
    for (int v = 0; v < 16; v++) {
      boolean present = v < 1 << bits;
      assertThat(sticks(Registers.MSI_ADDR.get(v), 0x1234)).isEqualTo(present ? 0x1234 : 0);
      assertThat(sticks(Registers.MSI_DATA.get(v), 0x5678)).isEqualTo(present ? 0x5678 : 0);
      assertThat(sticks(Registers.MSI_VEC_CTL.get(v), -1)).isEqualTo(present ? 1 : 0);
    }
  }

  @Test
  void qos_identifiers_have_the_bits_that_the_unit_has() {
    use(Rig.with().option("qosid_mask", "0x00070003"));
    assertThat(sticks(Registers.IOMMU_QOSID, -1)).isEqualTo(0x0007_0003);
  }

  @Test
  void counters_and_selectors_are_as_many_and_as_wide_as_the_unit_has() {
    use(Rig.with().option("event_counters", 5).option("counter_bits", 40));
    assertThat(sticks(Registers.IOCOUNTINH, -1)).isEqualTo(0x3f);
    for (int n = 0; n < 31; n++) {
      long all = n < 5 ? (1L << 40) - 1 : 0;
      assertThat(sticks(Registers.IOHPMCTR.get(n), -1)).isEqualTo(all);
      rig.write(Registers.IOHPMEVT.get(n), 0x7ff1_2345_6789_8003L);
      assertThat(rig.read(Registers.IOHPMEVT.get(n))).isEqualTo(n < 5 ? 0x7ff1_2345_6789_8003L : 0);
    }
  }

  @Test
  void an_unknown_event_keeps_the_old_one_and_all_else_is_taken() {
    Register r = Registers.IOHPMEVT.getFirst();
    rig.write(r, 5);
    assertThat(sticks(r, 1L << 62 | 9)).isEqualTo(1L << 62 | 5);
    assertThat(sticks(r, 0x7fff)).isEqualTo(5);
    assertThat(sticks(r, 0)).isZero();
  }

  @Test
  void the_deepest_directory_decides_how_wide_a_device_id_is() {
    rig.queues();
    int[] bits = {6, 15, 24};
    for (int mode = 2; mode <= 4; mode++) {
      rig.write(Registers.DDTP, 0);
      rig.write(Registers.DDTP, mode | rig.frame() >>> 12 << 10);
      rig.access(1 << bits[mode - 2] - 1, 0, Access.READ);
      assertThat(rig.cause().code()).isEqualTo(258);
      for (int bit = bits[mode - 2]; bit < 32; bit++) {
        rig.access(1 << bit, 0, Access.READ);
        assertThat(rig.cause().code()).as("mode %d, bit %d", mode, bit).isEqualTo(260);
      }
    }
  }

  private record Step(int offset, int size, long value) {}

  private static Step step(RandomGenerator r) {
    int size = r.nextBoolean() ? 4 : 8;
    int offset = r.nextInt(0x400 / size) * size;
    // Not the queues' and the directory's own switches: what they start is another matter.
    boolean apart = offset >= 0x60 || offset == 0x58 || offset == 0x5c;
    return new Step(apart ? offset : 0x2f8, size, r.nextLong());
  }

  @Test
  void no_write_changes_another_register_or_a_bit_that_is_not_there() {
    Property.ofSequences("writes", 60, 60, RegisterRulesTest::step)
        .holds(
            steps -> {
              use(Rig.with());
              for (Step s : steps) {
                long[] before = snapshot();
                rig.unit.write(s.offset, s.size, s.value);
                long[] after = snapshot();
                for (int i = 0; i < before.length; i++) {
                  boolean target = i * 4 >= s.offset && i * 4 < s.offset + s.size;
                  boolean shadow = i * 4 == 0x58; // of the overflow bits
                  boolean answer = i * 4 >= 0x260 && i * 4 < 0x270;
                  if (!target && !shadow && !answer && i * 4 != 0x60 && i * 4 != 0x64) {
                    assertThat(after[i]).as("%x", i * 4).isEqualTo(before[i]);
                  }
                }
              }
            });
  }

  private long[] snapshot() {
    long[] words = new long[0x400 / 4];
    for (int i = 0; i < words.length; i++) {
      words[i] = rig.unit.read(i * 4, 4);
    }
    return words;
  }
}
