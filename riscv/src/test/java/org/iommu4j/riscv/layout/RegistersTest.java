package org.iommu4j.riscv.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Field.Kind;
import org.iommu4j.core.bits.Register;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The register declarations against the specification's tables. */
class RegistersTest {
  /** Offset, name and width of every register but those that come in rows. §6.2. */
  private static final String MAP =
      """
      000 capabilities 8
      008 fctl 4
      010 ddtp 8
      018 cqb 8
      020 cqh 4
      024 cqt 4
      028 fqb 8
      030 fqh 4
      034 fqt 4
      038 pqb 8
      040 pqh 4
      044 pqt 4
      048 cqcsr 4
      04c fqcsr 4
      050 pqcsr 4
      054 ipsr 4
      058 iocountovf 4
      05c iocountinh 4
      060 iohpmcycles 8
      258 tr_req_iova 8
      260 tr_req_ctl 8
      268 tr_response 8
      270 iommu_qosid 4
      2f8 icvec 8
      """;

  private static String map(Register r) {
    return "%03x %s %d".formatted(r.offset(), r.name(), r.width());
  }

  @Test
  void the_registers_are_those_of_the_table() {
    List<String> single =
        Registers.ALL.stream()
            .filter(r -> !r.name().matches("(iohpmctr|iohpmevt|msi_).*"))
            .map(RegistersTest::map)
            .toList();
    assertThat(single).containsExactlyElementsOf(MAP.lines().toList());
  }

  @Test
  void rows_of_registers_stand_where_the_table_says() {
    for (int n = 1; n <= 31; n++) {
      assertThat(map(Registers.IOHPMCTR.get(n - 1)))
          .isEqualTo("%03x iohpmctr%d 8".formatted(0x68 + 8 * (n - 1), n));
      assertThat(map(Registers.IOHPMEVT.get(n - 1)))
          .isEqualTo("%03x iohpmevt%d 8".formatted(0x160 + 8 * (n - 1), n));
    }
    assertThat(Registers.IOHPMCTR.getLast().offset() + 8).isEqualTo(0x160);
    assertThat(Registers.IOHPMEVT.getLast().offset() + 8).isEqualTo(0x258);
    for (int v = 0; v < 16; v++) {
      int at = 0x300 + 16 * v;
      assertThat(map(Registers.MSI_ADDR.get(v))).isEqualTo("%03x msi_addr_%d 8".formatted(at, v));
      assertThat(map(Registers.MSI_DATA.get(v)))
          .isEqualTo("%03x msi_data_%d 4".formatted(at + 8, v));
      assertThat(map(Registers.MSI_VEC_CTL.get(v)))
          .isEqualTo("%03x msi_vec_ctl_%d 4".formatted(at + 12, v));
    }
  }

  @Test
  void all_registers_are_listed_once_in_order_and_share_no_byte() {
    Set<String> names = new HashSet<>();
    int end = 0;
    for (Register r : Registers.ALL) {
      assertThat(names.add(r.name())).as(r.name()).isTrue();
      assertThat(r.offset()).as(r.name()).isGreaterThanOrEqualTo(end);
      end = r.offset() + r.width();
    }
    assertThat(Registers.ALL).hasSize(24 + 31 + 31 + 48);
    assertThat(end).isEqualTo(0x400);
  }

  /** The bits of each kind, so that all others are reserved. §6.3 to §6.29. */
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # register     RO                 RW                 RW1C      RW1S WARL
          capabilities,  0xfff_ffef_cfff,   0,                 0,        0,   0
          fctl,          0,                 0,                 0,        0,   7
          ddtp,          0x10,              0,                 0,        0,   0x3f_ffff_ffff_fc0f
          cqb,           0,                 0,                 0,        0,   0x3f_ffff_ffff_fc1f
          fqb,           0,                 0,                 0,        0,   0x3f_ffff_ffff_fc1f
          pqb,           0,                 0,                 0,        0,   0x3f_ffff_ffff_fc1f
          cqh,           0xffff_ffff,       0,                 0,        0,   0
          cqt,           0,                 0,                 0,        0,   0xffff_ffff
          fqh,           0,                 0,                 0,        0,   0xffff_ffff
          fqt,           0xffff_ffff,       0,                 0,        0,   0
          pqh,           0,                 0,                 0,        0,   0xffff_ffff
          pqt,           0xffff_ffff,       0,                 0,        0,   0
          cqcsr,         0x3_0000,          3,                 0xf00,    0,   0
          fqcsr,         0x3_0000,          3,                 0x300,    0,   0
          pqcsr,         0x3_0000,          3,                 0x300,    0,   0
          ipsr,          0,                 0,                 0xf,      0,   0
          iocountovf,    0xffff_ffff,       0,                 0,        0,   0
          iocountinh,    0,                 0,                 0,        0,   0xffff_ffff
          iohpmcycles,   0,                 0x8000_0000_0000_0000, 0,    0,   0x7fff_ffff_ffff_ffff
          iohpmctr1,     0,                 0,                 0,        0,   0xffff_ffff_ffff_ffff
          iohpmevt31,    0,                 0xffff_ffff_ffff_8000, 0,    0,   0x7fff
          tr_req_iova,   0,                 0xffff_ffff_ffff_f000, 0,    0,   0
          tr_req_ctl,    0,                 0xffff_ff01_ffff_f00e, 0,    1,   0
          tr_response,   0x3f_ffff_ffff_ff81, 0,               0,        0,   0
          iommu_qosid,   0,                 0,                 0,        0,   0x0fff_0fff
          icvec,         0,                 0,                 0,        0,   0xffff
          msi_addr_0,    0,                 0,                 0,        0,   0xff_ffff_ffff_fffc
          msi_data_15,   0,                 0,                 0,        0,   0xffff_ffff
          msi_vec_ctl_7, 0,                 1,                 0,        0,   0
          """)
  void the_bits_of_each_kind_are_those_of_the_table(
      String name, String ro, String rw, String rw1c, String rw1s, String warl) {
    Register r =
        Registers.ALL.stream().filter(x -> x.name().equals(name)).findFirst().orElseThrow();
    assertThat(r.mask(Kind.RO)).isEqualTo(number(ro));
    assertThat(r.mask(Kind.RW)).isEqualTo(number(rw));
    assertThat(r.mask(Kind.RW1C)).isEqualTo(number(rw1c));
    assertThat(r.mask(Kind.RW1S)).isEqualTo(number(rw1s));
    assertThat(r.mask(Kind.WARL)).isEqualTo(number(warl));
    for (Kind none : new Kind[] {Kind.WO, Kind.IGNORED, Kind.RESERVED}) {
      assertThat(r.mask(none)).isZero();
    }
  }

  private static long number(String text) {
    return text.startsWith("0x")
        ? Long.parseUnsignedLong(text.substring(2).replace("_", ""), 16)
        : Long.parseLong(text);
  }

  /** Bit by bit, as the table of §6.3 lists them. */
  @Test
  void capabilities_stand_at_the_bits_of_the_table() {
    String table =
        """
        7:0 version
        8:8 Sv32
        9:9 Sv39
        10:10 Sv48
        11:11 Sv57
        14:14 Svrsw60t59b
        15:15 Svpbmt
        16:16 Sv32x4
        17:17 Sv39x4
        18:18 Sv48x4
        19:19 Sv57x4
        21:21 AMO_MRIF
        22:22 MSI_FLAT
        23:23 MSI_MRIF
        24:24 AMO_HWAD
        25:25 ATS
        26:26 T2GPA
        27:27 END
        29:28 IGS
        30:30 HPM
        31:31 DBG
        37:32 PAS
        38:38 PD8
        39:39 PD17
        40:40 PD20
        41:41 QOSID
        42:42 NL
        43:43 S
        """;
    assertThat(Capabilities.FIELDS)
        .extracting(f -> f.hi() + ":" + f.lo() + " " + f.name())
        .containsExactlyElementsOf(table.lines().toList());
  }

  @Test
  void the_fields_of_a_register_are_named_once() {
    for (Register r : Registers.ALL) {
      assertThat(r.fields()).extracting(Field::name).doesNotHaveDuplicates();
    }
  }
}
