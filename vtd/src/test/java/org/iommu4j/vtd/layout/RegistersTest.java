package org.iommu4j.vtd.layout;

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
  /** Offset, name and width of every register but those that come in rows. §11.4. */
  private static final String MAP =
      """
      000 VER_REG 4
      008 CAP_REG 8
      010 ECAP_REG 8
      018 GCMD_REG 4
      01c GSTS_REG 4
      020 RTADDR_REG 8
      028 CCMD_REG 8
      034 FSTS_REG 4
      038 FECTL_REG 4
      03c FEDATA_REG 4
      040 FEADDR_REG 4
      044 FEUADDR_REG 4
      058 AFLOG_REG 8
      064 PMEN_REG 4
      068 PLMBASE_REG 4
      06c PLMLIMIT_REG 4
      070 PHMBASE_REG 8
      078 PHMLIMIT_REG 8
      080 IQH_REG 8
      088 IQT_REG 8
      090 IQA_REG 8
      09c ICS_REG 4
      0a0 IECTL_REG 4
      0a4 IEDATA_REG 4
      0a8 IEADDR_REG 4
      0ac IEUADDR_REG 4
      0b0 IQERCD_REG 8
      0b8 IRTA_REG 8
      0c0 PQH_REG 8
      0c8 PQT_REG 8
      0d0 PQA_REG 8
      0dc PRS_REG 4
      0e0 PECTL_REG 4
      0e4 PEDATA_REG 4
      0e8 PEADDR_REG 4
      0ec PEUADDR_REG 4
      100 MTRRCAP_REG 8
      108 MTRRDEF_REG 8
      120 MTRR_FIX64K_00000 8
      128 MTRR_FIX16K_80000 8
      130 MTRR_FIX16K_A0000 8
      138 MTRR_FIX4K_C0000 8
      140 MTRR_FIX4K_C8000 8
      148 MTRR_FIX4K_D0000 8
      150 MTRR_FIX4K_D8000 8
      158 MTRR_FIX4K_E0000 8
      160 MTRR_FIX4K_E8000 8
      168 MTRR_FIX4K_F0000 8
      170 MTRR_FIX4K_F8000 8
      300 PERFCAP_REG 8
      310 PERFCFGOFF_REG 4
      314 PERFFRZOFF_REG 4
      318 PERFOVFOFF_REG 4
      31c PERFCNTROFF_REG 4
      324 PERFINTRSTS_REG 4
      328 PERFINTRCTL_REG 4
      32c PERFINTRDATA_REG 4
      330 PERFINTRADDR_REG 4
      334 PERFINTRUADDR_REG 4
      400 ECMD_REG 8
      408 ECEO_REG 8
      410 ECRSP_REG 8
      420 ECSTS0_REG 8
      428 ECSTS1_REG 8
      430 ECCAP0_REG 8
      438 ECCAP1_REG 8
      440 ECCAP2_REG 8
      448 ECCAP3_REG 8
      dc0 RDTC_REG 8
      """;

  private static String map(Register r) {
    return "%03x %s %d".formatted(r.offset(), r.name(), r.width());
  }

  @Test
  void the_registers_are_those_of_the_table() {
    List<String> single =
        Registers.ALL.stream()
            .filter(r -> !r.name().matches("MTRR_PHYS.*|PERFEVNTCAP.*"))
            .map(RegistersTest::map)
            .toList();
    assertThat(single).containsExactlyElementsOf(MAP.lines().toList());
  }

  @Test
  void rows_of_registers_stand_where_the_table_says() {
    for (int n = 0; n <= 9; n++) {
      assertThat(map(Registers.MTRR_PHYSBASE.get(n)))
          .isEqualTo("%03x MTRR_PHYSBASE%d 8".formatted(0x180 + 16 * n, n));
      assertThat(map(Registers.MTRR_PHYSMASK.get(n)))
          .isEqualTo("%03x MTRR_PHYSMASK%d 8".formatted(0x188 + 16 * n, n));
    }
    for (int g = 0; g < Registers.EVENT_GROUPS; g++) {
      assertThat(map(Registers.PERFEVNTCAP.get(g)))
          .isEqualTo("%03x PERFEVNTCAP%d_REG 8".formatted(0x380 + 8 * g, g));
    }
  }

  @Test
  void no_two_registers_share_a_byte() {
    Set<Integer> bytes = new HashSet<>();
    for (Register r : Registers.ALL) {
      for (int i = 0; i < r.width(); i++) {
        assertThat(bytes.add(r.offset() + i)).as(r.name()).isTrue();
      }
    }
  }

  @Test
  void registers_that_move_stand_where_the_capabilities_say() {
    // QEMU: IOTLB at f0, the fault record at 220. VirtualBox: e50 and e70.
    assertThat(map(Registers.iva(0xf00f4a))).isEqualTo("0f0 IVA_REG 8");
    assertThat(map(Registers.iotlb(0xf00f4a))).isEqualTo("0f8 IOTLB_REG 8");
    long qemu = 0x80d2_008c_222f_0606L;
    assertThat(map(FaultRecord.low(qemu, 0))).isEqualTo("220 FRCD0_REG low 8");
    assertThat(map(FaultRecord.high(qemu, 0))).isEqualTo("228 FRCD0_REG high 8");
    assertThat(FaultRecord.count(qemu)).isEqualTo(1);
    long cap = Capability.FRO.of(0xe7) | Capability.NFR.of(7);
    assertThat(FaultRecord.count(cap)).isEqualTo(8);
    assertThat(FaultRecord.low(cap, 7).offset()).isEqualTo(0xe70 + 7 * 16);
  }

  /**
   * Fields with their bits, the lowest first. What a write does to them is in the other table.
   * §11.4.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "VER_REG; MIN 3:0, MAX 7:4",
        "GCMD_REG; CFI 23, SIRTP 24, IRE 25, QIE 26, WBF 27, EAFL 28, SFL 29, SRTP 30, TE 31",
        "GSTS_REG; CFIS 23, IRTPS 24, IRES 25, QIES 26, WBFS 27, AFLS 28, FLS 29, RTPS 30, TES 31",
        "RTADDR_REG; SSIRWE 7, TTM 11:10, RTA 63:12",
        "CCMD_REG; DID 15:0, SID 31:16, FM 33:32, CAIG 60:59, CIRG 62:61, ICC 63",
        "FSTS_REG; PFO 0, PPF 1, AFO 2, APF 3, IQE 4, ICE 5, ITE 6, FRI 15:8",
        "FECTL_REG; IP 30, IM 31",
        "FEADDR_REG; MA 31:2",
        "FEUADDR_REG; MUA 31:0",
        "AFLOG_REG; FLS 11:9, FLA 63:12",
        "PMEN_REG; PRS 0, EPM 31",
        "IQH_REG; QH 18:4",
        "IQT_REG; QT 18:4",
        "IQA_REG; QS 2:0, DW 11, IQA 63:12",
        "ICS_REG; IWC 0",
        "IECTL_REG; IP 30, IM 31",
        "IQERCD_REG; IQEI 3:0, ITESID 47:32, ICESID 63:48",
        "IRTA_REG; S 3:0, EIME 11, IRTA 63:12",
        "PQH_REG; index 18:5",
        "PQT_REG; index 18:5",
        "PQA_REG; PQS 2:0, PQA 63:12",
        "PRS_REG; PPR 0, PRO 1",
        "PECTL_REG; IP 30, IM 31",
        "MTRRCAP_REG; VCNT 7:0, FIX 8, WC 10",
        "MTRRDEF_REG; TYPE 7:0, FE 10, E 11",
        "MTRR_PHYSBASE0; TYPE 7:0, BASE 63:12",
        "MTRR_PHYSMASK0; V 11, MASK 63:12",
        "PERFCAP_REG; NCNTR 15:0, CW 22:16, EGCNT 28:24, RIDFS 32, DIDFS 33, PASIDFS 34, ATFS 35,"
            + " PTLFS 36, CWE 48, GFS 49, IOS 50, PCCS 51, CS 54:52",
        "PERFINTRSTS_REG; PIS 0",
        "PERFINTRCTL_REG; IP 30, IM 31",
        "ECMD_REG; CMD 7:0, OA 63:16",
        "ECRSP_REG; IP 0, SC 7:1, RSLT 63:16",
        "ECCAP3_REG; ECNTS 48, DCNTS 49, RCFGS 50, RCNTS 51, FCNTS 52, UFCNTS 53",
        "RDTC_REG; RMID 11:0, CLOS 36:32",
      })
  void fields_stand_at_the_bits_of_the_table(String name, String fields) {
    assertThat(describe(named(name).fields())).isEqualTo(fields);
  }

  @Test
  void fields_of_registers_that_move_stand_at_the_bits_of_the_table() {
    assertThat(describe(Registers.iva(0).fields())).isEqualTo("AM 5:0, IH 6, ADDR 63:12");
    assertThat(describe(Registers.iotlb(0).fields()))
        .isEqualTo("DID 47:32, DW 48, DR 49, IAIG 58:57, IIRG 61:60, IVT 63");
    assertThat(describe(FaultRecord.LAYOUT.words().get(0))).isEqualTo("FI 63:12");
    // Bit 64 of the record is bit 0 here.
    assertThat(describe(FaultRecord.LAYOUT.words().get(1)))
        .isEqualTo(
            "SID 15:0, T2 28, PRIV 29, EXE 30, PP 31, FR 39:32, PV 59:40, AT 61:60, T1 62, F 63");
    assertThat(FaultRecord.INDEX.mask()).isEqualTo(0xffff_0000_0000_0000L);
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
  void capabilities_stand_at_the_bits_of_the_table() {
    assertThat(describe(Capability.FIELDS))
        .isEqualTo(
            "ND 2:0, AFL 3, RWBF 4, PLMR 5, PHMR 6, CM 7, SAGAW 12:8, MGAW 21:16, ZLR 22,"
                + " FRO 33:24, SSLPS 37:34, PSI 39, NFR 47:40, MAMV 53:48, DWD 54, DRD 55,"
                + " FS1GP 56, PI 59, FS5LP 60, ECMDS 61, ESIRTPS 62, ESRTPS 63");
    assertThat(describe(ExtendedCapability.FIELDS))
        .isEqualTo(
            "C 0, QI 1, DT 2, IR 3, EIM 4, PT 6, SC 7, IRO 17:8, MHMV 23:20, MTS 25, NEST 26,"
                + " PRS 29, ERS 30, SRS 31, NWFS 33, EAFS 34, PSS 39:35, PASID 40, DIT 41, PDS 42,"
                + " SMTS 43, VCS 44, SSADS 45, SSTS 46, FSTS 47, SMPWCS 48, RPS 49, TDXCS 50,"
                + " PMS 51, ADMS 52, RPRIVS 53, HPTS 55, PTRS 56, SSIRWS 57, SMS 58, HPT1GPS 59,"
                + " RDTS 60, EIMER 61, IRREQ 62");
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # name,       RO,          RW,                    RW1C,       WO
          VER_REG,      0xff,        0,                     0,          0
          GCMD_REG,     0,           0,                     0,          0xff80_0000
          GSTS_REG,     0xff80_0000, 0,                     0,          0
          CCMD_REG,     0x1800_0000_0000_0000, 0xe000_0000_0000_ffff, 0, 0x3_ffff_0000
          FSTS_REG,     0xff0e,      0,                     0x71,       0
          FECTL_REG,    0x4000_0000, 0x8000_0000,           0,          0
          PMEN_REG,     1,           0x8000_0000,           0,          0
          IQH_REG,      0x7_fff0,    0,                     0,          0
          IQT_REG,      0,           0x7_fff0,              0,          0
          ICS_REG,      0,           0,                     1,          0
          IQERCD_REG,   0xffff_ffff_0000_000f, 0,           0,          0
          PQH_REG,      0,           0x7_ffe0,              0,          0
          PQT_REG,      0,           0x7_ffe0,              0,          0
          PRS_REG,      0,           0,                     3,          0
          MTRRCAP_REG,  0x5ff,       0,                     0,          0
          ECMD_REG,     0,           0xffff_ffff_ffff_00ff, 0,          0
          ECRSP_REG,    0xffff_ffff_ffff_00ff, 0,           0,          0
          PERFINTRSTS_REG, 0,        0,                     1,          0
          RDTC_REG,     0,           0x1f_0000_0fff,        0,          0
          """)
  void the_bits_of_each_kind_are_those_of_the_table(
      String name, String ro, String rw, String rw1c, String wo) {
    Register r = named(name);
    assertThat(r.mask(Kind.RO)).isEqualTo(number(ro));
    assertThat(r.mask(Kind.RW)).isEqualTo(number(rw));
    assertThat(r.mask(Kind.RW1C)).isEqualTo(number(rw1c));
    assertThat(r.mask(Kind.WO)).isEqualTo(number(wo));
    for (Kind none : new Kind[] {Kind.RW1S, Kind.WARL, Kind.IGNORED, Kind.RESERVED}) {
      assertThat(r.mask(none)).isZero();
    }
  }

  private static long number(String text) {
    return text.startsWith("0x")
        ? Long.parseUnsignedLong(text.substring(2).replace("_", ""), 16)
        : Long.parseLong(text);
  }

  @Test
  void identification_is_never_written() {
    for (Register r : List.of(named("CAP_REG"), named("ECAP_REG"), named("PERFCAP_REG"))) {
      for (Field f : r.fields()) {
        assertThat(f.kind()).as(r.name() + "." + f.name()).isEqualTo(Kind.RO);
      }
    }
  }

  @Test
  void the_fields_of_a_register_are_named_once() {
    for (Register r : Registers.ALL) {
      assertThat(r.fields()).extracting(Field::name).doesNotHaveDuplicates();
    }
  }

  /** Codes in the specification's order of tables: legacy, interrupts, mode, scalable. §7.1. */
  @Test
  void reasons_have_the_codes_of_the_specification() {
    String table =
        """
        LRT.1 08 N, LRT.2 01 N, LRT.3 0a N, LCT.1 09 N, LCT.2 02 Y, LCT.3 0b Y, LCT.4.1 03 Y,\
         LCT.4.2 03 Y, LCT.4.3 03 Y, LCT.5 0d Y, LSS.1 07 Y, LSS.2 0c Y, LGN.1.1 04 Y,\
         LGN.1.2 04 Y, LGN.1.3 04 Y, LGN.2 05 Y, LGN.3 06 Y, LGN.4 0e Y,\
         IR.REQUEST.RESERVED 20 N, IR.INDEX 21 N, IR.NOT.PRESENT 22 Y, IR.ACCESS 23 N,\
         IR.RESERVED 24 Y, IR.COMPATIBILITY 25 N, IR.SOURCE 26 Y, IR.DESCRIPTOR.ACCESS 27 Y,\
         IR.DESCRIPTOR.RESERVED 28 Y, IR.MALFORMED 29 N, IR.EIME.REQUIRED 2a N,\
         IR.REMAPPING.REQUIRED 2b N, RTA.1.1 30 N, RTA.1.2 30 N, RTA.1.3 30 N, RTA.1.4 30 N,\
         RTA.2 31 N, RTA.3 32 N, RTA.4 33 N, RTA.5 34 N, SRT.1 38 N, SRT.2 39 N, SRT.3 3a N,\
         SCT.1 40 N, SCT.2 41 Y, SCT.3 42 Y, SCT.4.1 43 Y, SCT.4.2 43 Y, SCT.4.3 43 Y, SCT.5 44 Y,\
         SCT.6 45 Y, SCT.7 46 Y, SCT.8 47 Y, SCT.9 48 Y, SCT.10 49 Y, SPD.1 50 N, SPD.2 51 Y,\
         SPD.3 52 Y, SPT.1 58 N, SPT.2 59 Y, SPT.3 5a Y, SPT.4.1 5b Y, SPT.4.2 5b Y, SPT.4.3 5b Y,\
         SPT.4.4 5b Y, SPT.5 5c Y, SPT.6 5d Y, SPT.9 60 Y, SFS.1 70 Y, SFS.2 71 Y, SFS.3 72 Y,\
         SFS.4 73 Y, SFS.5 74 Y, SFS.6 75 Y, SFS.7 76 Y, SFS.8 77 Y, SFS.9 90 Y, SFS.10 91 Y,\
         SSS.1 78 Y, SSS.2 79 Y, SSS.3 7a Y, SSS.4 7b Y, SSS.5 7c Y, SSS.6 7d Y, SGN.1 80 Y,\
         SGN.2 81 Y, SGN.4.1 83 Y, SGN.4.2 83 Y, SGN.5 84 Y, SGN.6 85 Y, SGN.7 86 Y, SGN.8 87 Y,\
         SGN.10 89 Y, HPT.1 a0 Y, HPT.2 a1 Y, HPT.3 a2 Y, HPT.4 a3 Y, HPT.5 a4 Y, HPT.6 a5 Y
        """;
    List<String> found = new ArrayList<>();
    for (Reason r : Reason.values()) {
      found.add("%s %02x %s".formatted(r.id(), r.code(), r.qualified() ? "Y" : "N"));
      assertThat(Reason.of(r.code())).contains(r);
      assertThat(r.title()).isNotBlank();
      assertThat(r.advice()).isNotBlank();
    }
    assertThat(String.join(", ", found)).isEqualTo(table.strip());
    assertThat(Reason.of(-1)).isEmpty();
    assertThat(Reason.of(256)).isEmpty();
  }
}
