package org.iommu4j.riscv.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.layout.Command.ADDR;
import static org.iommu4j.riscv.layout.Command.AV;
import static org.iommu4j.riscv.layout.Command.DATA;
import static org.iommu4j.riscv.layout.Command.DID;
import static org.iommu4j.riscv.layout.Command.DV;
import static org.iommu4j.riscv.layout.Command.FENCE_ADDR;
import static org.iommu4j.riscv.layout.Command.FUNC3;
import static org.iommu4j.riscv.layout.Command.GSCID;
import static org.iommu4j.riscv.layout.Command.GV;
import static org.iommu4j.riscv.layout.Command.NL;
import static org.iommu4j.riscv.layout.Command.OPCODE;
import static org.iommu4j.riscv.layout.Command.PID;
import static org.iommu4j.riscv.layout.Command.PRG_CODE;
import static org.iommu4j.riscv.layout.Command.PRG_INDEX;
import static org.iommu4j.riscv.layout.Command.PSCID;
import static org.iommu4j.riscv.layout.Command.PSCV;
import static org.iommu4j.riscv.layout.Command.PV;
import static org.iommu4j.riscv.layout.Command.RID;
import static org.iommu4j.riscv.layout.Command.S;

import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;
import org.junit.jupiter.api.Test;

/** The in-memory formats against the specification's masks, and encodings worked by hand. */
class LayoutsTest {
  private static final List<Layout> ALL =
      List.of(
          DirectoryEntry.LAYOUT,
          DeviceContext.BASE,
          DeviceContext.EXTENDED,
          ProcessContext.LAYOUT,
          MsiPte.BASIC,
          MsiPte.MRIF,
          FaultRecord.LAYOUT,
          PageRequestRecord.LAYOUT,
          Command.IOTINVAL_LAYOUT,
          Command.IOFENCE_LAYOUT,
          Command.IODIR_LAYOUT,
          Command.ATS_LAYOUT,
          Pte.LAYOUT);

  @Test
  void every_bit_of_every_word_is_declared_exactly_once() {
    for (Layout layout : ALL) {
      for (List<Field> word : layout.words()) {
        assertCovers(layout.name(), word, -1L);
      }
    }
    assertCovers("Sv32", Pte.LAYOUT32.words().getFirst(), 0xffff_ffffL);
  }

  private static void assertCovers(String name, List<Field> word, long all) {
    long seen = 0;
    for (Field f : word) {
      assertThat(seen & f.mask()).as(name + "." + f.name() + " overlaps").isZero();
      seen |= f.mask();
    }
    assertThat(seen).as(name).isEqualTo(all);
  }

  @Test
  void structures_have_the_sizes_that_the_specification_gives() {
    assertThat(DeviceContext.BASE.words()).hasSize(4);
    assertThat(DeviceContext.EXTENDED.words()).hasSize(8);
    assertThat(ProcessContext.LAYOUT.words()).hasSize(2);
    assertThat(MsiPte.BASIC.words()).hasSize(2);
    assertThat(8 * FaultRecord.LAYOUT.words().size()).isEqualTo(FaultRecord.BYTES).isEqualTo(32);
    assertThat(8 * PageRequestRecord.LAYOUT.words().size())
        .isEqualTo(PageRequestRecord.BYTES)
        .isEqualTo(16);
    assertThat(8 * Command.ATS_LAYOUT.words().size()).isEqualTo(Command.BYTES).isEqualTo(16);
  }

  @Test
  void reserved_masks_are_those_of_the_specification() {
    assertMasks(DirectoryEntry.LAYOUT, 0xffc0_0000_0000_03feL);
    assertThat(DirectoryEntry.RESERVED).isEqualTo(0xffc0_0000_0000_03feL);
    assertMasks(
        DeviceContext.EXTENDED,
        0xffff_ffff_00ff_f000L,
        0,
        0x0000_00ff_0000_0fffL,
        0x0fff_f000_0000_0000L,
        0x0fff_f000_0000_0000L,
        0xfff0_0000_0000_0000L,
        0xfff0_0000_0000_0000L,
        -1L);
    assertMasks(ProcessContext.LAYOUT, 0xffff_ffff_0000_0ff8L, 0x0fff_f000_0000_0000L);
    assertMasks(MsiPte.BASIC, 0x7fc0_0000_0000_03f8L, 0);
    assertMasks(MsiPte.MRIF, 0x7fc0_0000_0000_0078L, 0xefc0_0000_0000_0000L);
    // Bits 60:59 and PBMT are reserved or not, as the capabilities say.
    assertMasks(Pte.LAYOUT, 0x07c0_0000_0000_0000L);
    assertThat(Pte.RSW60T59B.mask() | Pte.LAYOUT.reservedMask(0)).isEqualTo(0x1fc0_0000_0000_0000L);
    assertThat(Pte.PBMT.mask()).isEqualTo(0x6000_0000_0000_0000L);
    assertThat(Pte.N.mask()).isEqualTo(0x8000_0000_0000_0000L);
  }

  @Test
  void reserved_masks_of_commands_are_those_of_the_specification() {
    assertMasks(Command.IOTINVAL_LAYOUT, 0xf000_0ff8_0000_0800L, 0xc000_0000_0000_01ffL);
    assertThat(Command.IOTINVAL_LAYOUT.reservedMask(0) | NL.mask())
        .isEqualTo(0xf000_0ffc_0000_0800L);
    assertThat(Command.IOTINVAL_LAYOUT.reservedMask(1) | S.mask())
        .isEqualTo(0xc000_0000_0000_03ffL);
    assertMasks(Command.IOFENCE_LAYOUT, 0x0000_0000_ffff_c000L, 0xc000_0000_0000_0000L);
    assertMasks(Command.IODIR_LAYOUT, 0x0000_00fd_0000_0c00L, -1L);
    assertThat(Command.IODIR_LAYOUT.reservedMask(0) | PID.mask()).isEqualTo(0x0000_00fd_ffff_fc00L);
    assertMasks(Command.ATS_LAYOUT, 0x0000_00fc_0000_0c00L, 0);
  }

  private static void assertMasks(Layout layout, long... masks) {
    for (int w = 0; w < masks.length; w++) {
      assertThat(layout.reservedMask(w)).as(layout.name() + " word " + w).isEqualTo(masks[w]);
    }
  }

  @Test
  void tc_bits_stand_in_the_order_of_the_specification() {
    assertThat(DeviceContext.BASE.words().getFirst().subList(0, 12))
        .extracting(f -> f.name() + f.lo())
        .containsExactly(
            "V0", "EN_ATS1", "EN_PRI2", "T2GPA3", "DTF4", "PDTV5", "PRPR6", "GADE7", "SADE8",
            "DPE9", "SBE10", "SXL11");
  }

  @Test
  void worked_commands() {
    long vma = OPCODE.of(Command.IOTINVAL);
    long gvma = vma | FUNC3.of(Command.FUNC3_GVMA);
    long pscid5 = vma | PSCV.mask() | PSCID.of(5);
    assertThat(vma).isEqualTo(0x1);
    assertThat(pscid5).isEqualTo(0x1_0000_5001L);
    assertThat(pscid5 | AV.mask()).isEqualTo(0x1_0000_5401L);
    assertThat(ADDR.of(0x4000_1000L >>> 12)).isEqualTo(0x1000_0400L);
    assertThat(pscid5 | AV.mask() | NL.mask()).isEqualTo(0x5_0000_5401L);
    // Ranges: as many ones below the lowest 0 as the size says.
    assertThat(S.mask() | ADDR.of(0x4_0000)).isEqualTo(0x1000_0200L);
    assertThat(S.mask() | ADDR.of(0x4_0000 | 0xff)).isEqualTo(0x1003_fe00L);
    assertThat(S.mask() | ADDR.of(-1L >>> 13)).isEqualTo(0x1fff_ffff_ffff_fe00L);
    assertThat(gvma).isEqualTo(0x81);
    assertThat(gvma | GV.mask() | GSCID.of(0x12)).isEqualTo(0x0001_2002_0000_0081L);
    assertThat(gvma | GV.mask() | GSCID.of(0x12) | AV.mask()).isEqualTo(0x0001_2002_0000_0481L);
    assertThat(ADDR.of(0x8000_1000L >>> 12)).isEqualTo(0x2000_0400L);
    assertThat(vma | GV.mask() | GSCID.of(0x12)).isEqualTo(0x0001_2002_0000_0001L);
    long iodir = OPCODE.of(Command.IODIR);
    assertThat(iodir).isEqualTo(0x3);
    assertThat(iodir | DV.mask() | DID.of(8)).isEqualTo(0x802_0000_0003L);
    assertThat(iodir | FUNC3.of(Command.FUNC3_INVAL_PDT) | DV.mask() | DID.of(8) | PID.of(5))
        .isEqualTo(0x802_0000_5083L);
    long fence = OPCODE.of(Command.IOFENCE);
    assertThat(fence | Command.PR.mask() | Command.PW.mask()).isEqualTo(0x3002);
    assertThat(fence | AV.mask() | DATA.of(0xdead_beefL)).isEqualTo(0xdead_beef_0000_0402L);
    assertThat(FENCE_ADDR.of(0x8000_0040L >>> 2)).isEqualTo(0x2000_0010L);
    assertThat(fence | Command.WSI.mask()).isEqualTo(0x802);
    long ats = OPCODE.of(Command.ATS) | RID.of(0x100) | PV.mask() | PID.of(5);
    assertThat(ats).isEqualTo(0x1_0001_0000_5004L);
    assertThat(ats | FUNC3.of(Command.FUNC3_PRGR)).isEqualTo(0x1_0001_0000_5084L);
    assertThat(PRG_INDEX.of(3)).isEqualTo(0x3_0000_0000L);
    assertThat(PRG_INDEX.of(3) | PRG_CODE.of(1)).isEqualTo(0x1003_0000_0000L);
    assertThat(PRG_INDEX.of(3) | PRG_CODE.of(15)).isEqualTo(0xf003_0000_0000L);
  }

  @Test
  void worked_records() {
    long read13 =
        FaultRecord.CAUSE.of(13)
            | FaultRecord.TTYP.of(TransactionType.UNTRANSLATED_READ.code())
            | FaultRecord.DID.of(8);
    assertThat(read13).isEqualTo(0x808_0000_000dL);
    assertThat(read13 | FaultRecord.PV.mask() | FaultRecord.PID.of(5) | FaultRecord.PRIV.mask())
        .isEqualTo(0x80b_0000_500dL);
    assertThat(
            FaultRecord.CAUSE.of(258)
                | FaultRecord.TTYP.of(TransactionType.UNTRANSLATED_WRITE.code())
                | FaultRecord.DID.of(8))
        .isEqualTo(0x80c_0000_0102L);
    assertThat(
            FaultRecord.CAUSE.of(260)
                | FaultRecord.TTYP.of(TransactionType.MESSAGE_REQUEST.code())
                | FaultRecord.DID.of(8))
        .isEqualTo(0x824_0000_0104L);
    assertThat(
            PageRequestRecord.DID.of(8) | PageRequestRecord.PV.mask() | PageRequestRecord.PID.of(5))
        .isEqualTo(0x801_0000_5000L);
  }

  @Test
  void worked_pointers_and_entries() {
    assertThat(DeviceContext.MODE.of(8) | DeviceContext.PPN.of(0x80200))
        .isEqualTo(0x8000_0000_0008_0200L);
    assertThat(DeviceContext.MODE.of(10) | DeviceContext.PPN.of(0x80200))
        .isEqualTo(0xa000_0000_0008_0200L);
    assertThat(Registers.IOMMU_MODE.of(Registers.MODE_3LVL) | Registers.DDTP_PPN.of(0x80300))
        .isEqualTo(0x200c_0004L);
    assertThat(Registers.LOG2SZ_1.of(12) | Registers.QUEUE_PPN.of(0x80400)).isEqualTo(0x2010_000cL);
    assertThat(Registers.GO_BUSY.mask() | Registers.TR_NW.mask() | Registers.TR_DID.of(8))
        .isEqualTo(0x800_0000_0009L);
    assertThat(MsiPte.V.mask() | MsiPte.M.of(MsiPte.M_BASIC) | MsiPte.PPN.of(0x24010))
        .isEqualTo(0x900_4007L);
    assertThat(
            MsiPte.V.mask()
                | MsiPte.M.of(MsiPte.M_MRIF)
                | MsiPte.MRIF_ADDRESS.of(0x8034_5200L >>> 9))
        .isEqualTo(0x200d_1483L);
    int nid = 0x41d;
    assertThat(MsiPte.NID_LOW.of(nid) | MsiPte.NID_HIGH.of(nid >>> 10) | MsiPte.NPPN.of(0x24001))
        .isEqualTo(0x1000_0000_0900_041dL);
    long rw = Pte.V.mask() | Pte.R.mask() | Pte.U.mask() | Pte.A.mask() | Pte.D.mask();
    assertThat(Pte.PPN.of(0x80211) | rw | Pte.W.mask()).isEqualTo(0x2008_44d7L);
    assertThat(Pte.PPN.of(0x80211) | rw).isEqualTo(0x2008_44d3L);
    assertThat(Pte.PPN.of(0x80210 | 8) | Pte.N.mask() | rw | Pte.W.mask())
        .isEqualTo(0x8000_0000_2008_60d7L);
  }

  @Test
  void transaction_types_have_the_codes_of_the_specification() {
    assertThat(TransactionType.values())
        .extracting(TransactionType::code)
        .containsExactly(0, 1, 2, 3, 5, 6, 7, 8, 9);
    for (TransactionType t : TransactionType.values()) {
      assertThat(TransactionType.of(t.code())).isEqualTo(t);
    }
    assertThat(TransactionType.of(4)).isEqualTo(TransactionType.NONE);
    assertThat(TransactionType.of(63)).isEqualTo(TransactionType.NONE);
  }
}
