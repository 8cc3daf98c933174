package org.iommu4j.amdvi.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
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
  /** Offset, name and width of every register but those that come in rows. */
  private static final String MAP =
      """
      0000 Device Table Base 8
      0008 Command Buffer Base 8
      0010 Event Log Base 8
      0018 Control 8
      0020 Exclusion Base 8
      0028 Exclusion Range Limit 8
      0030 Extended Feature 8
      0038 PPR Log Base 8
      0040 Hardware Event Upper 8
      0048 Hardware Event Lower 8
      0050 Hardware Event Status 8
      00e0 GA Log Base 8
      00e8 GA Log Tail Address 8
      00f0 PPR Log B Base 8
      00f8 Event Log B Base 8
      0138 DSFX 8
      0140 DSCX 8
      0148 DSSX 8
      0150 MSI Vector 0 4
      0154 MSI Vector 1 4
      0158 MSI Capability Header 4
      015c MSI Address Low 4
      0160 MSI Address High 4
      0164 MSI Data 4
      0168 MSI Mapping Capability Header 4
      016c Performance Optimization Control 4
      0170 XT IOMMU General Interrupt Control 8
      0178 XT IOMMU PPR Interrupt Control 8
      0180 XT IOMMU GA Log Interrupt Control 8
      0190 vIOMMU Status 8
      01a0 Extended Feature 2 8
      1ff8 Reserved 8
      2000 Command Buffer Head 8
      2008 Command Buffer Tail 8
      2010 Event Log Head 8
      2018 Event Log Tail 8
      2020 Status 8
      2030 PPR Log Head 8
      2038 PPR Log Tail 8
      2040 GA Log Head 8
      2048 GA Log Tail 8
      2050 PPR Log B Head 8
      2058 PPR Log B Tail 8
      2070 Event Log B Head 8
      2078 Event Log B Tail 8
      2080 PPR Log Auto Response 8
      2088 PPR Log Overflow Early Indicator 8
      2090 PPR Log B Overflow Early Indicator 8
      4000 Counter Configuration 8
      4008 Counter PASID Bank Lock 8
      4010 Counter Domain Bank Lock 8
      4018 Counter DeviceID Bank Lock 8
      """;

  private static String map(Register r) {
    return "%04x %s %d".formatted(r.offset(), r.name(), r.width());
  }

  @Test
  void the_registers_are_those_of_the_table() {
    List<String> single =
        Registers.ALL.stream()
            .filter(r -> !r.name().matches("SMI Filter.*|Device Table Segment.*|MARC.*"))
            .map(RegistersTest::map)
            .sorted()
            .toList();
    assertThat(single).containsExactlyElementsOf(MAP.lines().toList());
  }

  @Test
  void rows_of_registers_stand_where_the_table_says() {
    for (int n = 0; n < 16; n++) {
      assertThat(map(Registers.SMI_FILTER.get(n)))
          .isEqualTo("%04x SMI Filter %d 8".formatted(0x60 + 8 * n, n));
    }
    for (int n = 1; n <= 7; n++) {
      assertThat(map(Registers.DEVICE_TABLE_SEGMENT.get(n - 1)))
          .isEqualTo("%04x Device Table Segment %d Base 8".formatted(0x100 + 8 * (n - 1), n));
    }
    for (int n = 0; n < 4; n++) {
      int at = 0x200 + 0x18 * n;
      assertThat(map(Registers.MARC_BASE.get(n)))
          .isEqualTo("%04x MARC Aperture %d Base 8".formatted(at, n));
      assertThat(map(Registers.MARC_RELOCATION.get(n)))
          .isEqualTo("%04x MARC Aperture %d Relocation 8".formatted(at + 8, n));
      assertThat(map(Registers.MARC_LENGTH.get(n)))
          .isEqualTo("%04x MARC Aperture %d Length 8".formatted(at + 16, n));
    }
    assertThat(Registers.ALL).hasSize(52 + 16 + 7 + 12);
  }

  @Test
  void no_two_registers_share_a_byte_or_a_name() {
    Set<Integer> bytes = new HashSet<>();
    Set<String> names = new HashSet<>();
    for (Register r : Registers.ALL) {
      assertThat(names.add(r.name())).as(r.name()).isTrue();
      for (int i = 0; i < r.width(); i++) {
        assertThat(bytes.add(r.offset() + i)).as(r.name()).isTrue();
      }
    }
    assertThat(Registers.COUNTER_CONFIGURATION.offset()).isEqualTo(Registers.BYTES);
    assertThat(Registers.BYTES).isEqualTo(16 << 10);
    assertThat(Registers.BYTES_WITH_COUNTERS).isEqualTo(512 << 10);
  }

  /** Fields with their bits, the lowest first. What a write does to them is in the other table. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "Device Table Base; Size 8:0, DevTabBase 51:12",
        "Device Table Segment 7 Base; Size 7:0, DevTabBase 51:12",
        "Command Buffer Base; Base 51:12, Len 59:56",
        "GA Log Base; Base 51:12, Len 59:56",
        "Exclusion Base; ExEn 0, Allow 1, Base 51:12",
        "Exclusion Range Limit; Limit 51:12",
        "Hardware Event Upper; event 63:0",
        "Hardware Event Status; HEV 0, HEO 1",
        "SMI Filter 15; SmiDID 15:0, SmiDV 16, SmiFLock 17",
        "GA Log Tail Address; address 51:3",
        "DSFX; implementation 23:0, RevMinor 27:24, RevMajor 31:28",
        "MSI Vector 0; MsiNum 4:0, MsiNumPPR 31:27",
        "MSI Vector 1; MsiNumGA 4:0",
        "Performance Optimization Control; PerfOptEn 13",
        "XT IOMMU General Interrupt Control; DM 2, Dest 23:0 31:8, Vector 39:32, MT 40,"
            + " Dest 31:24 63:56",
        "Extended Feature 2; SevSnpIoSup 1, TMPMSup 2, GCR3TRPModeSup 3, GAPPIDisSup 4,"
            + " SNPAVICSup 7:5, NumIntRemapSup 9:8, HTRangeIgnore 11",
        "MARC Aperture 3 Base; Base 51:12",
        "MARC Aperture 0 Relocation; RelocEn 0, ReadOnly 1, Relocation 51:12",
        "MARC Aperture 0 Length; Length 51:12",
        "Command Buffer Head; pointer 18:4",
        "Event Log B Tail; pointer 18:4",
        "GA Log Tail; pointer 15:3",
        "Status; EventOverflow 0, EventLogInt 1, ComWaitInt 2, EventLogRun 3, CmdBufRun 4,"
            + " PprOverflow 5, PprInt 6, PprLogRun 7, GALogRun 8, GALOverflow 9, GAInt 10,"
            + " PprOverflowB 11, PprLogActive 12, EventOverflowB 15, EventLogActive 16,"
            + " PprOverflowEarlyB 17, PprOverflowEarly 18",
        "PPR Log Auto Response; PprAutoRspCode 3:0, PprAutoRspMaskGen 4",
        "PPR Log B Overflow Early Indicator; PprOvrflwEarlyThreshold 14:0,"
            + " PprOvrflwEarlyIntEn 30, PprOvrflwEarlyEn 31",
        "Counter Configuration; NCounter 10:7, NCounterBanks 17:12",
      })
  void fields_stand_at_the_bits_of_the_table(String name, String fields) {
    assertThat(describe(named(name).fields())).isEqualTo(fields);
  }

  private static Register named(String name) {
    return Registers.ALL.stream().filter(x -> x.name().equals(name)).findFirst().orElseThrow();
  }

  private static String describe(List<Field> fields) {
    List<String> parts = new ArrayList<>();
    for (Field f : fields) {
      parts.add(f.name() + " " + (f.hi() == f.lo() ? "" + f.lo() : f.hi() + ":" + f.lo()));
    }
    return String.join(", ", parts);
  }

  @Test
  void control_stands_at_the_bits_of_the_table() {
    assertThat(describe(Control.FIELDS))
        .isEqualTo(
            "IommuEn 0, HtTunEn 1, EventLogEn 2, EventIntEn 3, ComWaitIntEn 4, InvTimeOut 7:5,"
                + " PassPW 8, ResPassPW 9, Coherent 10, Isoc 11, CmdBufEn 12, PPRLogEn 13,"
                + " PprIntEn 14, PPREn 15, GTEn 16, GAEn 17, CRW 21:18, SmiFEn 22, SlfWBDis 23,"
                + " SmiFLogEn 24, GAMEn 27:25, GALogEn 28, GAIntEn 29, DualPprLogEn 31:30,"
                + " DualEventLogEn 33:32, DevTblSegEn 36:34, PrivAbrtEn 38:37, PprAutoRspEn 39,"
                + " MarcEn 40, BlkStopMrkEn 41, PprAutoRspAon 42, NumIntRemapMode 44:43, EPHEn 45,"
                + " HADUpdate 47:46, GDUpdateDis 48, XTEn 50, IntCapXTEn 51, vCmdEn 52,"
                + " vIommuEn 53, GAUpdateDis 54, GAPPIEn 55, TMPMEn 56, GCR3TRPMode 58,"
                + " IRTCacheDis 59, GstBufferTRPMode 60, SNPAVICEn 63:61");
  }

  @Test
  void features_stand_at_the_bits_of_the_table() {
    assertThat(describe(ExtendedFeatures.FIELDS))
        .isEqualTo(
            "PreFSup 0, PPRSup 1, XTSup 2, NXSup 3, GTSup 4, GAPPISup 5, IASup 6, GASup 7,"
                + " HESup 8, PCSup 9, HATS 11:10, GATS 13:12, GLXSup 15:14, SmiFSup 17:16,"
                + " SmiFRC 20:18, GAMSup 23:21, DualPprLogSup 25:24, DualEventLogSup 29:28,"
                + " SATSSup 31, PASmax 36:32, USSup 37, DevTblSegSup 39:38, PprOvrflwEarlySup 40,"
                + " PprAutoRspSup 41, MarcSup 43:42, BlkStopMrkSup 44, PerfOptSup 45,"
                + " MsiCapMmioSup 46, SnoopAttrSup 47, GIOSup 48, HASup 49, EPHSup 50,"
                + " AttrFWSup 51, HDSup 52, V2HDDisSup 53, InvIotlbTypeSup 54, vIOMMUSup 55,"
                + " VMGuardIoSup 56, VMTableSize 60:57, GAUpdateDisSup 61, ForcePhyDestSup 62,"
                + " SNPSup 63");
    for (Register r : List.of(ExtendedFeatures.REGISTER, ExtendedFeatures.REGISTER_2)) {
      assertThat(r.fields()).allMatch(f -> f.kind() == Kind.RO);
    }
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # name,                 RO,        RW,                     RW1C,      WARL
          Device Table Base,      0,         0xf_ffff_ffff_f1ff,     0,         0
          Command Buffer Base,    0,         0x0f0f_ffff_ffff_f000,  0,         0
          Control,                0,         0,                0, 0xfdfd_ffff_ffff_ffff
          Exclusion Base,         0,         0xf_ffff_ffff_f003,     0,         0
          Hardware Event Upper,   0,         0xffff_ffff_ffff_ffff,  0,         0
          Hardware Event Status,  0,         0,                      3,         0
          SMI Filter 0,           0,         0,                      0,         0x3_ffff
          DSFX,                   0xffff_ffff, 0,                    0,         0
          DSCX,                   0xff00_0000, 0xff_ffff,            0,         0
          DSSX,                   0xff00_0000, 0,                    0xff_ffff, 0
          MSI Vector 0,           0xf800_001f, 0,                    0,         0
          MSI Vector 1,           0,         0x1f,                   0,         0
          MSI Mapping Capability Header, 0xffff_ffff, 0,             0,         0
          XT IOMMU PPR Interrupt Control, 0, 0xff00_01ff_ffff_ff04,  0,         0
          vIOMMU Status,          0xffff_ffff_ffff_ffff, 0,          0,         0
          Reserved,               0,         0xffff_ffff_ffff_ffff,  0,         0
          Command Buffer Head,    0,         0,                      0,         0x7_fff0
          GA Log Head,            0,         0,                      0,         0xfff8
          Status,                 0x1_1198,  0,                      0x6_8e67,  0
          PPR Log Auto Response,  0,         0x1f,                   0,         0
          Counter Configuration,  0x3_f780,  0,                      0,         0
          """)
  void the_bits_of_each_kind_are_those_of_the_table(
      String name, String ro, String rw, String rw1c, String warl) {
    Register r = named(name);
    assertThat(r.mask(Kind.RO)).isEqualTo(number(ro));
    assertThat(r.mask(Kind.RW)).isEqualTo(number(rw));
    assertThat(r.mask(Kind.RW1C)).isEqualTo(number(rw1c));
    assertThat(r.mask(Kind.WARL)).isEqualTo(number(warl));
    for (Kind none : new Kind[] {Kind.RW1S, Kind.WO, Kind.IGNORED, Kind.RESERVED}) {
      assertThat(r.mask(none)).isZero();
    }
  }

  private static long number(String text) {
    return text.startsWith("0x")
        ? Long.parseUnsignedLong(text.substring(2).replace("_", ""), 16)
        : Long.parseLong(text);
  }

  @Test
  void a_counter_has_its_block_of_registers() {
    CounterBlock first = new CounterBlock(0, 0);
    assertThat(map(first.counter())).isEqualTo("40000 Counter 0.0 8");
    CounterBlock b = new CounterBlock(2, 3);
    List<String> found = new ArrayList<>();
    for (Register r :
        List.of(b.counter(), b.source(), b.pasid(), b.domain(), b.device(), b.report())) {
      found.add("%x %s".formatted(r.offset() - 0x4_2300, describe(r.fields())));
    }
    assertThat(found)
        .startsWith(
            "0 counter 47:0",
            "8 CSource 7:0",
            "10 PASID match 19:0, enable 31, PASID mask 51:32",
            "18 DomainID match 15:0, enable 31, DomainID mask 47:32",
            "20 DeviceID match 15:0, enable 31, DeviceID mask 47:32");
    assertThat(b.report().offset()).isEqualTo(0x4_2328);
  }

  @Test
  void the_fields_of_a_register_are_named_once() {
    for (Register r : Registers.ALL) {
      assertThat(r.fields()).extracting(Field::name).doesNotHaveDuplicates();
    }
  }

  @Test
  void the_capability_block_is_that_of_the_table() {
    List<String> found = new ArrayList<>();
    for (Register r : CapabilityBlock.ALL) {
      assertThat(r.width()).as(r.name()).isEqualTo(4);
      found.add("%02x %s".formatted(r.offset(), describe(r.fields())));
    }
    assertThat(found)
        .containsExactly(
            "00 CapId 7:0, CapPtr 15:8, CapType 18:16, CapRev 23:19, IotlbSup 24, HtTunnel 25,"
                + " NpCache 26, EFRSup 27, CapExt 28",
            "04 Enable 0, BaseAddress 31:14",
            "08 BaseAddress 31:0",
            "0c UnitId 4:0, RngValid 7, BusNumber 15:8, FirstDevice 23:16, LastDevice 31:24",
            "10 MsiNum 4:0, GVAsize 7:5, PAsize 14:8, VAsize 21:15, HtAtsResv 22,"
                + " MsiNumPPR 31:27",
            "14 MsiNumGA 4:0");
    assertThat(CapabilityBlock.BYTES).isEqualTo(0x18);
    assertThat(CapabilityBlock.ENABLE.kind()).isEqualTo(Kind.RW1S);
  }
}
