package org.iommu4j.vtd.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Field.Kind;
import org.iommu4j.core.bits.Layout;
import org.junit.jupiter.api.Test;

/** The in-memory formats against the specification's tables, and encodings worked by hand. */
class LayoutsTest {
  /** Every structure, under the name that {@link #TABLE} has for it. */
  private static final Map<String, Layout> ALL = new HashMap<>();

  static {
    ALL.put("root", RootEntry.LEGACY);
    ALL.put("scalable root", RootEntry.SCALABLE);
    ALL.put("context", ContextEntry.LAYOUT);
    ALL.put("scalable context", ScalableContextEntry.LAYOUT);
    ALL.put("PASID directory", PasidDirectoryEntry.LAYOUT);
    ALL.put("PASID", PasidEntry.LAYOUT);
    ALL.put("second stage", SecondStagePte.LAYOUT);
    ALL.put("first stage", FirstStagePte.LAYOUT);
    ALL.put("remapped", Irte.REMAPPED);
    ALL.put("posted", Irte.POSTED);
    ALL.put("posted descriptor", PostedDescriptor.LAYOUT);
    ALL.put("page request", PageRequestDescriptor.LAYOUT);
    ALL.put("host permission", HostPermissionEntry.LAYOUT);
    for (int type = 1; type <= 10; type++) {
      ALL.put("type " + type, Descriptor.layout(type));
    }
  }

  /**
   * Name, then of each 64-bit word the fields with their bits; bits of no field are reserved, IGN
   * is left to software. VT-d §6.5.2, §7.4, §9.
   */
  private static final String TABLE =
      """
      root: P 0, CTP 63:12; -
      scalable root: LP 0, LCTP 63:12; UP 0, UCTP 63:12
      context: P 0, FPD 1, TT 3:2, SSPTPTR 63:12; AW 2:0, IGN 6:3, DID 23:8
      scalable context: P 0, FPD 1, DTE 2, PASIDE 3, PRE 4, HPTE 5, EPTR 6, PDTS 11:9,\
       PASIDDIRPTR 63:12; RID_PASID 19:0, RID_PRIV 20; -; -
      PASID directory: P 0, FPD 1, SMPTBLPTR 63:12
      PASID: P 0, FPD 1, AW 4:2, PGTT 8:6, SSADE 9, SSPTPTR 63:12;\
       DID 15:0, PWSNP 23, PGSNP 24, CD 25, EMTE 26, PAT 63:32;\
       SRE 0, FSPM 3:2, WPE 4, IGN 6:5, EAFE 7, FSPTPTR 63:12; -;\
       HPTSZ 1:0, HPTPFD 2, HPTPTR 63:12; HPTDID 15:0; -; -
      second stage: R 0, W 1, IGN 2, EMT 5:3, IPAT 6, PS 7, A 8, D 9, IGN 10, SNP 11, ADDR 51:12,\
       IGN 60:52, IR 61, IW 62, IGN 63
      first stage: P 0, R/W 1, U/S 2, PWT 3, PCD 4, A 5, D 6, PS 7, IGN 9:8, EA 10, IGN 11,\
       ADDR 51:12, IGN 62:52, XD 63
      remapped: P 0, FPD 1, DM 2, RH 3, TM 4, DLM 7:5, AVAIL 11:8, IM 15, V 23:16, DST 63:32;\
       SID 15:0, SQ 17:16, SVT 19:18
      posted: P 0, FPD 1, AVAIL 11:8, URG 14, IM 15, VV 23:16, PDAL 63:38;\
       SID 15:0, SQ 17:16, SVT 19:18, PDAH 63:32
      posted descriptor: PIR 63:0 63:0; PIR 127:64 63:0; PIR 191:128 63:0; PIR 255:192 63:0;\
       ON 0, SN 1, NV 23:16, NDST 63:32; -; -; -
      page request: TYPE 7:0, PP 8, RID 31:16, PASID 51:32, EXR 52, PMR 53;\
       RDR 0, WRR 1, LPIG 2, PRGI 11:3, ADDR 63:12; -; -
      host permission: PP 63:0; AV 0, ADDR 63:12
      type 1: type 3:0, G 5:4, DID 31:16, SID 47:32, FM 49:48; -
      type 2: type 3:0, G 5:4, DW 6, DR 7, DID 31:16; AM 5:0, IH 6, ADDR 63:12
      type 3: type 3:0, PFSID 3:0 15:12, MIP 20:16, SID 47:32, PFSID 15:4 63:52; S 0, ADDR 63:12
      type 4: type 3:0, G 4, IM 31:27, IIDX 47:32; -
      type 5: type 3:0, IF 4, SW 5, FN 6, PD 7, STDATA 63:32; STADDR 63:2
      type 6: type 3:0, G 5:4, DID 31:16, PASID 51:32; AM 5:0, IH 6, ADDR 63:12
      type 7: type 3:0, G 5:4, DID 31:16, PASID 51:32; -
      type 8: type 3:0, MIP 8:4, PFSID 3:0 15:12, SID 31:16, PASID 51:32, PFSID 15:4 63:52;\
       GI 0, S 11, ADDR 63:12
      type 9: type 3:0, PP 4, RC 15:12, RID 31:16, PASID 51:32; IGN 2, PRGI 11:3
      type 10: type 3:0, G 5:4, HPTDID 31:16; AM 5:0, IH 7:6, ADDR 63:12
      """;

  @Test
  void every_bit_of_every_word_is_declared_exactly_once() {
    ALL.forEach(
        (name, layout) -> {
          for (List<Field> word : layout.words()) {
            long seen = 0;
            for (Field f : word) {
              assertThat(seen & f.mask()).as(name + "." + f.name() + " overlaps").isZero();
              seen |= f.mask();
            }
            assertThat(seen).as(name).isEqualTo(-1L);
          }
        });
  }

  @Test
  void the_fields_are_those_of_the_tables() {
    List<String> lines = TABLE.lines().toList();
    assertThat(lines).hasSize(ALL.size());
    for (String line : lines) {
      String name = line.substring(0, line.indexOf(": "));
      assertThat(name + ": " + describe(ALL.get(name))).isEqualTo(line);
    }
  }

  private static String describe(Layout layout) {
    List<String> words = new ArrayList<>();
    for (List<Field> word : layout.words()) {
      List<String> fields = new ArrayList<>();
      for (Field f : word) {
        if (f.kind() != Kind.RESERVED) {
          String bits = f.hi() == f.lo() ? "" + f.lo() : f.hi() + ":" + f.lo();
          fields.add(f.name() + " " + bits);
        }
      }
      words.add(fields.isEmpty() ? "-" : String.join(", ", fields));
    }
    return String.join("; ", words);
  }

  @Test
  void what_is_left_to_software_is_never_looked_at() {
    for (Layout layout : ALL.values()) {
      for (List<Field> word : layout.words()) {
        for (Field f : word) {
          boolean free = List.of("IGN", "AVAIL", "XD").contains(f.name());
          assertThat(f.kind() == Kind.IGNORED).as(layout.name() + "." + f.name()).isEqualTo(free);
        }
      }
    }
  }

  @Test
  void structures_have_the_sizes_that_the_specification_gives() {
    assertSize(RootEntry.LEGACY, RootEntry.BYTES, 16);
    assertSize(RootEntry.SCALABLE, RootEntry.BYTES, 16);
    assertSize(ContextEntry.LAYOUT, ContextEntry.BYTES, 16);
    assertSize(ScalableContextEntry.LAYOUT, ScalableContextEntry.BYTES, 32);
    assertSize(PasidDirectoryEntry.LAYOUT, PasidDirectoryEntry.BYTES, 8);
    assertSize(PasidEntry.LAYOUT, PasidEntry.BYTES, 64);
    assertSize(Irte.REMAPPED, Irte.BYTES, 16);
    assertSize(Irte.POSTED, Irte.BYTES, 16);
    assertSize(PostedDescriptor.LAYOUT, PostedDescriptor.BYTES, 64);
    assertSize(PageRequestDescriptor.LAYOUT, PageRequestDescriptor.BYTES, 32);
    assertSize(HostPermissionEntry.LAYOUT, HostPermissionEntry.BYTES, 16);
    assertSize(FaultRecord.LAYOUT, FaultRecord.BYTES, 16);
    for (int type = 1; type <= 10; type++) {
      assertThat(Descriptor.layout(type).words()).hasSize(2);
    }
    assertThat(PostedDescriptor.CONTROL_OFFSET).isEqualTo(256 / 8);
  }

  private static void assertSize(Layout layout, int declared, int bytes) {
    assertThat(declared).as(layout.name()).isEqualTo(bytes);
    assertThat(8 * layout.words().size()).as(layout.name()).isEqualTo(bytes);
  }

  @Test
  void descriptors_have_the_types_of_the_specification() {
    assertThat(
            List.of(
                Descriptor.CONTEXT_CACHE,
                Descriptor.IOTLB,
                Descriptor.DEVICE_TLB,
                Descriptor.INTERRUPT_ENTRY_CACHE,
                Descriptor.WAIT,
                Descriptor.PASID_IOTLB,
                Descriptor.PASID_CACHE,
                Descriptor.PASID_DEVICE_TLB,
                Descriptor.PAGE_GROUP_RESPONSE,
                Descriptor.HOST_PERMISSION_TABLE))
        .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    assertThat(Descriptor.layout(0)).isNull();
    assertThat(Descriptor.layout(11)).isNull();
    assertThat(Descriptor.layout(Descriptor.type(0x0e02))).as("bits 11:9 are of the type").isNull();
  }

  /** As Linux 7.2 writes them. */
  @Test
  void worked_descriptors() {
    long wait =
        Descriptor.TYPE_LOW.of(Descriptor.WAIT) | Descriptor.SW.mask() | Descriptor.STDATA.of(2);
    assertThat(wait).isEqualTo(0x2_0000_0025L);
    long iotlb =
        Descriptor.TYPE_LOW.of(Descriptor.IOTLB)
            | Descriptor.G.of(Registers.DOMAIN)
            | Descriptor.DRAIN_READS.mask()
            | Descriptor.DRAIN_WRITES.mask()
            | Descriptor.DID.of(5);
    assertThat(iotlb).isEqualTo(0x5_00e2L);
    long context =
        Descriptor.TYPE_LOW.of(Descriptor.CONTEXT_CACHE)
            | Descriptor.G.of(Registers.SELECTIVE)
            | Descriptor.DID.of(5)
            | Descriptor.SID.of(0x6a10);
    assertThat(context).isEqualTo(0x6a10_0005_0031L);
    long entry =
        Descriptor.TYPE_LOW.of(Descriptor.INTERRUPT_ENTRY_CACHE)
            | Descriptor.INDEX_SELECTIVE.mask()
            | Descriptor.IIDX.of(0x21)
            | Descriptor.IM.of(2);
    assertThat(entry).isEqualTo(0x21_1000_0014L);
    long pasid =
        Descriptor.TYPE_LOW.of(Descriptor.PASID_CACHE)
            | Descriptor.G.of(Descriptor.PC_PASID)
            | Descriptor.DID.of(1)
            | Descriptor.PASID.of(0xfffff);
    assertThat(pasid).isEqualTo(0xf_ffff_0001_0017L);
    assertThat(Descriptor.ADDR.of(0x7_ffff_ffff_ffffL)).isEqualTo(0x7fff_ffff_ffff_f000L);
  }

  @Test
  void worked_entries() {
    assertThat(ContextEntry.AW.of(2) | ContextEntry.DID.of(1)).isEqualTo(0x102);
    assertThat(ContextEntry.TT.of(ContextEntry.TT_PASS_THROUGH)).isEqualTo(8);
    assertThat(PasidEntry.PGTT.of(PasidEntry.SECOND_STAGE) | PasidEntry.AW.of(2) | 1)
        .isEqualTo(0x89);
    assertThat(PasidEntry.PGTT.of(PasidEntry.PASS_THROUGH)).isEqualTo(0x100);
    assertThat(Irte.SVT.of(Irte.SVT_SID) | Irte.SID.of(0xf0f8)).isEqualTo(0x4_f0f8);
    assertThat(Irte.XAPIC_DST.of(3)).isEqualTo(0x300_0000_0000L);
    // Linux: read, write, page size, accessed, dirty, snoop.
    assertThat(SecondStagePte.R.mask()).isEqualTo(1);
    assertThat(SecondStagePte.W.mask()).isEqualTo(2);
    assertThat(SecondStagePte.PS.mask()).isEqualTo(0x80);
    assertThat(SecondStagePte.A.mask()).isEqualTo(0x100);
    assertThat(SecondStagePte.D.mask()).isEqualTo(0x200);
    assertThat(SecondStagePte.SNP.mask()).isEqualTo(0x800);
  }
}
