package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.layout.Capabilities.AMO_HWAD;
import static org.iommu4j.riscv.layout.Capabilities.ATS;
import static org.iommu4j.riscv.layout.Capabilities.END;
import static org.iommu4j.riscv.layout.Capabilities.MSI_FLAT;
import static org.iommu4j.riscv.layout.Capabilities.QOSID;
import static org.iommu4j.riscv.layout.DeviceContext.FSC;
import static org.iommu4j.riscv.layout.DeviceContext.IOHGATP;
import static org.iommu4j.riscv.layout.DeviceContext.MSIPTP;
import static org.iommu4j.riscv.layout.DeviceContext.MSI_ADDR_MASK;
import static org.iommu4j.riscv.layout.DeviceContext.MSI_ADDR_PATTERN;
import static org.iommu4j.riscv.layout.DeviceContext.TA;
import static org.iommu4j.riscv.layout.DeviceContext.TC;

import java.util.stream.Stream;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.dma.Access;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.Registers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each check of a context alone: what the specification calls misconfigured, and what not. */
class ContextChecksTest {
  private static final long MODE = 1L << 60;
  private static final long EN_ATS = 1 << 1;
  private static final long EN_PRI = 1 << 2;
  private static final long T2GPA = 1 << 3;
  private static final long PDTV = 1 << 5;
  private static final long PRPR = 1 << 6;
  private static final long GADE = 1 << 7;
  private static final long SADE = 1 << 8;
  private static final long DPE = 1 << 9;
  private static final long SBE = 1 << 10;
  private static final long SXL = 1 << 11;

  /**
   * One context and whether it is misconfigured.
   *
   * @param name the check, by the specification's number, and what it is about
   * @param absent capabilities that the unit lacks
   * @param fctl value of fctl
   * @param wrong whether cause 259 is expected
   * @param words index and value of each word that is not 0; tc.V is set anyway
   */
  private record Row(String name, Field[] absent, int fctl, boolean wrong, long... words) {
    @Override
    public String toString() {
      return name + (wrong ? ": misconfigured" : ": accepted");
    }
  }

  private static final Field[] NONE = {};

  private static Field[] no(Field... absent) {
    return absent;
  }

  private static Row bad(String name, Field[] absent, long... words) {
    return new Row(name, absent, 0, true, words);
  }

  private static Row good(String name, Field[] absent, long... words) {
    return new Row(name, absent, 0, false, words);
  }

  private static final long G39 = 8 * MODE | 0x80400;

  static Stream<Row> rows() {
    return Stream.of(
        good("nothing but V", NONE),
        bad("1 tc low", NONE, TC, 1 << 12),
        bad("1 tc low", NONE, TC, 1 << 23),
        good("1 tc custom", NONE, TC, 0xff00_0000L),
        bad("1 tc high", NONE, TC, 1L << 32),
        bad("1 tc high", NONE, TC, 1L << 63),
        bad("1 ta low", NONE, TA, 1),
        bad("1 ta middle", NONE, TA, 1L << 32),
        bad("1 ta without QOSID", no(QOSID), TA, 1L << 40),
        bad("1 ta without QOSID", no(QOSID), TA, 1L << 63),
        bad("1 fsc", NONE, FSC, 1L << 44),
        bad("1 fsc", NONE, FSC, 1L << 59),
        bad("1 msiptp", NONE, IOHGATP, G39, MSIPTP, MODE | 1L << 50),
        bad("1 mask", NONE, MSI_ADDR_MASK, 1L << 52),
        bad("1 pattern", NONE, MSI_ADDR_PATTERN, 1L << 63),
        bad("1 mask beyond the widest guest address", NONE, MSI_ADDR_MASK, 1L << 47),
        good("1 mask within", NONE, MSI_ADDR_MASK, 1L << 46),
        bad("1 last word", NONE, 7, 1),
        good("2 ATS", NONE, TC, EN_ATS | EN_PRI | PRPR),
        bad("2 EN_ATS without ATS", no(ATS), TC, EN_ATS),
        bad("2 EN_PRI without ATS", no(ATS), TC, EN_PRI),
        bad("2 PRPR without ATS", no(ATS), TC, PRPR),
        bad("3 T2GPA without EN_ATS", NONE, TC, T2GPA, IOHGATP, G39),
        bad("4 EN_PRI without EN_ATS", NONE, TC, EN_PRI),
        bad("5 PRPR without EN_PRI", NONE, TC, EN_ATS | PRPR),
        good("6 T2GPA", NONE, TC, EN_ATS | T2GPA, IOHGATP, G39),
        bad("6 T2GPA not had", no(Capabilities.T2GPA), TC, EN_ATS | T2GPA, IOHGATP, G39),
        bad("7 T2GPA without second stage", NONE, TC, EN_ATS | T2GPA),
        good("8 pdtp Bare", NONE, TC, PDTV),
        good("8 PD8", NONE, TC, PDTV, FSC, MODE),
        good("8 PD17", NONE, TC, PDTV, FSC, 2 * MODE),
        good("8 PD20", NONE, TC, PDTV, FSC, 3 * MODE),
        bad("8 PD8 not had", no(Capabilities.PD8), TC, PDTV, FSC, MODE),
        bad("8 PD17 not had", no(Capabilities.PD17), TC, PDTV, FSC, 2 * MODE),
        bad("8 PD20 not had", no(Capabilities.PD20), TC, PDTV, FSC, 3 * MODE),
        bad("8 reserved", NONE, TC, PDTV, FSC, 4 * MODE),
        bad("8 custom", NONE, TC, PDTV, FSC, 15 * MODE),
        bad("9 reserved", NONE, FSC, 7 * MODE),
        bad("9 reserved", NONE, FSC, 11 * MODE),
        bad("9 custom", NONE, FSC, 14 * MODE),
        good("10 Sv39", NONE, FSC, 8 * MODE),
        good("10 Sv48", NONE, FSC, 9 * MODE),
        good("10 Sv57", NONE, FSC, 10 * MODE),
        bad("10 Sv39 not had", no(Capabilities.SV39), FSC, 8 * MODE),
        bad("10 Sv48 not had", no(Capabilities.SV48), FSC, 9 * MODE),
        bad("10 Sv57 not had", no(Capabilities.SV57), FSC, 10 * MODE),
        good("11 Sv32", NONE, TC, SXL, FSC, 8 * MODE),
        bad("11 Sv32 not had", no(Capabilities.SV32), TC, SXL, FSC, 8 * MODE),
        bad("9 Sv48 with SXL", NONE, TC, SXL, FSC, 9 * MODE),
        bad("12 DPE without PDTV", NONE, TC, DPE),
        good("12 DPE", NONE, TC, DPE | PDTV),
        bad("13 reserved", NONE, IOHGATP, 7 * MODE),
        bad("13 reserved", NONE, IOHGATP, 11 * MODE),
        good("13 Bare, rest unused", NONE, IOHGATP, MODE - 1),
        good("14 Sv39x4", NONE, IOHGATP, G39),
        good("14 Sv57x4", NONE, IOHGATP, G39 + 2 * MODE),
        bad("14 Sv39x4 not had", no(Capabilities.SV39X4), IOHGATP, G39),
        bad("14 Sv48x4 not had", no(Capabilities.SV48X4), IOHGATP, G39 + MODE),
        bad("14 Sv57x4 not had", no(Capabilities.SV57X4), IOHGATP, G39 + 2 * MODE),
        new Row("13 Sv48x4 with GXL", NONE, 4, true, TC, SXL, IOHGATP, G39 + MODE),
        new Row("15 Sv32x4", NONE, 4, false, TC, SXL, IOHGATP, G39),
        good("16 Flat", NONE, IOHGATP, G39, MSIPTP, MODE),
        bad("16 reserved", NONE, IOHGATP, G39, MSIPTP, 2 * MODE),
        bad("16 custom", NONE, IOHGATP, G39, MSIPTP, 14 * MODE),
        bad("17 root misaligned", NONE, IOHGATP, G39 | 1),
        bad("17 root misaligned", NONE, IOHGATP, G39 | 2),
        good("18 SADE, GADE", NONE, TC, SADE | GADE),
        bad("18 SADE not had", no(AMO_HWAD), TC, SADE),
        bad("18 GADE not had", no(AMO_HWAD), TC, GADE),
        good("19 SBE", NONE, TC, SBE),
        bad("19 SBE without END", no(END), TC, SBE),
        good("19 SBE equal without END", no(END)),
        new Row("19 SBE unlike BE with END", NONE, 1, false),
        new Row("20 GXL without SXL", NONE, 4, true),
        new Row("20 GXL with SXL", NONE, 4, false, TC, SXL),
        good("20 SXL where GXL can be", NONE, TC, SXL),
        bad("20 SXL where GXL cannot be", no(Capabilities.SV32X4), TC, SXL),
        good("22 identifiers", NONE, TA, 0xfff_ffff_0000_0000L & ~0xff_0000_0000L),
        bad("23 MSI table without second stage", NONE, MSIPTP, MODE));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void a_device_context_is_checked(Row row) {
    try (Rig rig = Rig.with().without(row.absent).build()) {
      rig.write(Registers.FCTL, row.fctl);
      rig.queues();
      assertThat(store(rig, row.words)).isEqualTo(row.wrong);
    }
  }

  /** Whether a plain request is refused for a misconfigured context. */
  private static boolean store(Rig rig, long... words) {
    Dir dir = new Dir(rig);
    for (int i = 0; i < words.length; i += 2) {
      dir.words[(int) words[i]] |= words[i + 1];
    }
    dir.start();
    rig.access(Dir.DID, 0x1000, Access.READ);
    Cause cause = rig.cause();
    assertThat(cause).isNotEqualTo(Cause.DDT_ENTRY_NOT_VALID);
    return cause == Cause.DDT_ENTRY_MISCONFIGURED;
  }

  @Test
  void identifiers_wider_than_the_unit_has_are_misconfigured() {
    try (Rig rig = Rig.with().option("qosid_mask", "0x00070003").build().queues()) {
      assertThat(store(rig, TA, 3L << 40 | 7L << 52)).isFalse();
      rig.invalidateAll();
      rig.write(Registers.DDTP, 0);
      assertThat(store(rig, TA, 4L << 40)).isTrue();
      rig.invalidateAll();
      rig.write(Registers.DDTP, 0);
      assertThat(store(rig, TA, 8L << 52)).isTrue();
    }
  }

  @Test
  void what_cannot_be_written_must_be_equal() {
    try (Rig rig =
        Rig.with()
            .option("fctl", 1)
            .option("fctl_writable.be", false)
            .option("fctl_writable.gxl", false)
            .build()
            .queues()) {
      assertThat(store(rig, TC, SBE)).isFalse();
      rig.write(Registers.DDTP, 0);
      rig.invalidateAll();
      assertThat(store(rig)).isTrue();
    }
  }

  @Test
  void a_context_that_is_not_valid_may_hold_anything() {
    try (Rig rig = Rig.standard().queues()) {
      Dir dir = new Dir(rig);
      java.util.Arrays.fill(dir.words, -1);
      dir.words[TC] = -2;
      dir.start();
      rig.access(Dir.DID, 0x1000, Access.READ);
      assertThat(rig.cause()).isEqualTo(Cause.DDT_ENTRY_NOT_VALID);
    }
  }

  @Test
  void the_base_format_ends_after_four_words() {
    try (Rig rig = Rig.with().without(MSI_FLAT).build().queues()) {
      long leaf = rig.frame();
      rig.memory.writeLong(leaf + 32 * 5, 1);
      rig.memory.writeLong(leaf + 32 * 6, -1);
      rig.write(Registers.DDTP, 2 | leaf >>> 12 << 10);
      assertThat(rig.access(5, 0x1000, Access.READ)).isTrue();
      assertThat(rig.access(0x7f, 0x1000, Access.READ)).isFalse();
      assertThat(rig.cause()).isEqualTo(Cause.DDT_ENTRY_NOT_VALID);
      assertThat(rig.access(0x80, 0x1000, Access.READ)).isFalse();
      assertThat(rig.cause()).isEqualTo(Cause.TRANSACTION_TYPE_DISALLOWED);
    }
  }

  @Test
  void a_non_leaf_entry_with_reserved_bits_is_misconfigured() {
    try (Rig rig = Rig.standard().queues()) {
      Dir dir = new Dir(rig).start();
      long slot = dir.root + 8 * (Dir.DID >>> 15);
      long entry = rig.memory.readLong(slot);
      for (int bit = 0; bit < 64; bit++) {
        boolean reserved = (0xffc0_0000_0000_03feL >>> bit & 1) != 0;
        if (!reserved) {
          continue;
        }
        rig.memory.writeLong(slot, entry | 1L << bit);
        rig.invalidateAll();
        rig.access(Dir.DID, 0x1000, Access.READ);
        assertThat(rig.cause()).as("bit %d", bit).isEqualTo(Cause.DDT_ENTRY_MISCONFIGURED);
        rig.memory.writeLong(slot, (entry | 1L << bit) & ~1);
        rig.access(Dir.DID, 0x1000, Access.READ);
        assertThat(rig.cause()).isEqualTo(Cause.DDT_ENTRY_NOT_VALID);
      }
    }
  }

  /** ta and fsc of a process context, and the cause; 0 if the request passes. */
  private static int process(Rig rig, long ta, long fsc) {
    rig.write(Registers.DDTP, 0);
    long pdt = rig.frame();
    rig.memory.writeLong(pdt + 16 * 9, ta);
    rig.memory.writeLong(pdt + 16 * 9 + 8, fsc);
    Dir dir = new Dir(rig);
    dir.words[TC] |= PDTV;
    dir.fsc(DeviceContext.PDTP_PD8, pdt).start();
    rig.invalidateAll();
    rig.translate(rig.request(Dir.DID, 0x1000, Access.READ).pasid(9));
    Cause cause = rig.cause();
    return cause == null ? 0 : cause.code();
  }

  @Test
  void a_process_context_is_checked() {
    try (Rig rig = Rig.with().without(Capabilities.SV57).build().queues()) {
      assertThat(process(rig, 1, 0)).isZero();
      assertThat(process(rig, 0xffff_f007L, 0xfff_ffff_ffffL)).isZero();
      for (int bit = 3; bit < 64; bit++) {
        boolean reserved = bit < 12 || bit > 31;
        assertThat(process(rig, 1 | 1L << bit, 0)).as("ta %d", bit).isEqualTo(reserved ? 267 : 0);
      }
      for (int bit = 44; bit < 60; bit++) {
        assertThat(process(rig, 1, 1L << bit)).isEqualTo(267);
      }
      for (int mode = 0; mode < 16; mode++) {
        boolean legal = mode == 0 || mode == 8 || mode == 9;
        int cause = process(rig, 1, mode * MODE | 0xf0000);
        assertThat(cause).as("mode %d", mode).isEqualTo(!legal ? 267 : mode == 0 ? 0 : 5);
      }
      assertThat(process(rig, -2, -1)).isEqualTo(266);
    }
  }
}
