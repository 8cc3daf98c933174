package org.iommu4j.amdvi.layout;

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
    ALL.put("device table", DeviceTableEntry.LAYOUT);
    ALL.put("host table", HostPte.LAYOUT);
    ALL.put("guest table", GuestPte.LAYOUT);
    ALL.put("GCR3", GuestPte.GCR3_LAYOUT);
    ALL.put("interrupt, 16 bytes", Irte.LONG);
    ALL.put("interrupt, guest mode", Irte.GUEST);
    ALL.put("event", EventRecord.LAYOUT);
    ALL.put("page request", PprRecord.LAYOUT);
    ALL.put("guest APIC log", GaLogRecord.LAYOUT);
    ALL.put("event, reverse map table", EventRecord.RMP_LAYOUT);
    ALL.put("reverse map table", RmpEntry.LAYOUT);
    ALL.put("RMP segment", RmpEntry.SEGMENT_LAYOUT);
    for (int opcode = 1; opcode <= 10; opcode++) {
      ALL.put("opcode " + opcode, Command.layout(opcode));
    }
    ALL.put("guest event fault", VirtualEventRecord.GUEST_EVENT_FAULT);
    ALL.put("virtual IOMMU error", VirtualEventRecord.VIOMMU_HARDWARE_ERROR);
  }

  /**
   * Name, then of each 64-bit word the fields with their bits; bits of no field are reserved, IGN
   * is left to software.
   */
  private static final String TABLE =
      """
      device table: V 0, TV 1, CXLMemAttr 6:4, HAD 8:7, Mode 11:9,\
       Host Page Table Root Pointer 51:12, PPR 52, GPRP 53, GIOV 54, GV 55, GLX 57:56,\
       GCR3 TRP 14:12 60:58, IR 61, IW 62;\
       DomainID 15:0, GCR3 TRP 30:15 31:16, I 32, SE 33, SA 34, IoCtl 36:35, Cache 37, SD 38,\
       EX 39, SysMgt 41:40, SATS 42, GCR3 TRP 51:31 63:43;\
       IV 0, IntTabLen 4:1, IG 5, Interrupt Table Root Pointer 51:6, GuestPagingMode 55:54,\
       InitPass 56, EIntPass 57, NMIPass 58, HptMode 59, IntCtl 61:60, Lint0Pass 62, Lint1Pass 63;\
       vImuEn 15, GDeviceID 31:16, GuestID 47:32, available 53, AttrV 54, Mode0FC 55,\
       SnoopAttribute 63:56
      host table: PR 0, IGN 4:1, A 5, D 6, IGN 8:7, NextLevel 11:9, Address 51:12, PMC 58:57, U 59,\
       FC 60, IR 61, IW 62, IGN 63
      guest table: P 0, R/W 1, U/S 2, PWT 3, PCD 4, A 5, D 6, PS 7, G 8, IGN 11:9, Address 51:12,\
       IGN 62:52, NX 63
      GCR3: V 0, GCR3 51:12
      interrupt, 16 bytes: RemapEn 0, SupIOPF 1, IntType 4:2, RqEoi 5, DM 6, GuestMode 7,\
       Destination 23:0 31:8, GATag 63:32; Vector 7:0, Destination 31:24 63:56
      interrupt, guest mode: RemapEn 0, SupIOPF 1, GALogIntr 2, GAPPIDis 5, IsRun 6, GuestMode 7,\
       Destination 23:0 31:8, GATag 63:32;\
       Vector 7:0, Guest vAPIC Table Root Pointer 51:12, Destination 31:24 63:56
      event: DeviceID 15:0, PASID 19:16 19:16, vNR 27, vEvent 29, vPtr 30, vCmd 31,\
       DomainID or PASID 15:0 47:32, GN 48, NX 49, US 50, I 51, PR 52, RW 53, PE 54, RZ 55, TR 56, Type 59:57, EventCode 63:60; Address 63:0
      page request: DeviceID 15:0, PASID 15:0 31:16, group 40:32, last 41, PASID 19:16 45:42, EX 49,\
       R 50, W 53, US 54, RZ 55, GN 56, PPRCode 63:60; Address 63:12
      guest APIC log: GATag 31:0, DeviceID 47:32, GACode 63:60
      event, reverse map table: DeviceID 15:0, flags_rmp 23:16, VMG tag 47:32, I 51, PR 52, RW 53,\
       TR 56, Type 58:57, EventCode 63:60; Address 63:0
      reverse map table: Assigned 0, Page_Size 1, Immutable 2, Subpage_Count 11:3, GPA 50:12,\
       ASID 60:51, VMSA 61, Validated 62, Lock 63; VMPL0 7:0, VMPL1 15:8, VMPL2 23:16, VMPL3 31:24
      RMP segment: MappedSize 19:0, SegmentBase 51:20
      opcode 1: s 0, i 1, f 2, store address 51:3, opcode 63:60; store data 63:0
      opcode 2: DeviceID 15:0, opcode 63:60; -
      opcode 3: PASID 19:0, DomainID 47:32, opcode 63:60; S 0, PDE 1, GN 2, Address 63:12
      opcode 4: DeviceID 15:0, PASID 15:8 23:16, MaxPend 31:24, QueueID 47:32, PASID 7:0 55:48,\
       PASID 19:16 59:56, opcode 63:60; S 0, GN 2, Type 5:4, Address 63:12
      opcode 5: DeviceID 15:0, opcode 63:60; -
      opcode 6: DeviceID 15:0, PFCount 31:24, PASID 51:32, opcode 63:60;\
       S 0, GN 2, Inval 4, Address 63:12
      opcode 7: DeviceID 15:0, PASID 51:32, opcode 63:60; GN 2, PPR tag 40:32, response code 47:44
      opcode 8: opcode 63:60; -
      opcode 9: GuestID 47:32, opcode 63:60; -
      opcode 10: GuestID 15:0, all 28:27, vcmd 31, opcode 63:60; -
      guest event fault: vNR 27, vEvent 29, vPtr 30, vCmd 31, GuestID 47:32, flags 59:48,\
       EventCode 63:60; -
      virtual IOMMU error: GuestID 15:0, Src 17:16, vNR 27, vEvent 29, vPtr 30, vCmd 31,\
       flags 59:48, EventCode 63:60; Address 63:0
      """;

  @Test
  void every_bit_of_every_word_is_declared_exactly_once() {
    ALL.forEach(
        (name, layout) -> {
          for (List<Field> word : layout.words()) {
            assertThat(covered(name, word)).as(name).isEqualTo(-1L);
          }
        });
    assertThat(covered("interrupt, 4 bytes", Irte.SHORT.words().getFirst()))
        .isEqualTo(0xffff_ffffL);
  }

  private static long covered(String name, List<Field> word) {
    long seen = 0;
    for (Field f : word) {
      assertThat(seen & f.mask()).as(name + "." + f.name() + " overlaps").isZero();
      seen |= f.mask();
    }
    return seen;
  }

  @Test
  void the_fields_are_those_of_the_tables() {
    List<String> lines = TABLE.lines().toList();
    assertThat(lines).hasSize(ALL.size());
    for (String line : lines) {
      String name = line.substring(0, line.indexOf(": "));
      assertThat(name + ": " + describe(ALL.get(name))).isEqualTo(line);
    }
    assertThat(describe(Irte.SHORT))
        .isEqualTo(
            "RemapEn 0, SupIOPF 1, IntType 4:2, RqEoi 5, DM 6, GuestMode 7, Destination 15:8,"
                + " Vector 23:16");
  }

  /** What IVRS has is 4 bytes, 2 or 1. */
  @Test
  void the_fields_of_ivrs_are_those_of_the_tables() {
    assertFields(
        IvrsFields.IV_INFO,
        32,
        "EFRSup 0, DMAremapSup 1, GVAsize 7:5, PAsize 14:8, VAsize 21:15, HtAtsResv 22");
    assertFields(
        IvrsFields.UNIT_FLAGS,
        8,
        "HtTunEn 0, PassPW 1, ResPassPW 2, Isoc 3, IotlbSup 4, Coherent 5, PreFSup 6, PPRSup 7");
    assertFields(IvrsFields.UNIT_INFO, 16, "MSInum 4:0, UnitID 12:8");
    assertFields(
        IvrsFields.FEATURE_REPORTING,
        32,
        "XTSup 0, NXSup 1, GTSup 2, GLXSup 4:3, IASup 5, GASup 6, HESup 7, PASmax 12:8,"
            + " PNCounters 16:13, PNBanks 22:17, MsiNumPPR 27:23, GATS 29:28, HATS 31:30");
    assertFields(
        IvrsFields.ATTRIBUTES, 32, "HATDis 0, PNCounters 16:13, PNBanks 22:17, MsiNumPPR 27:23");
    assertFields(
        IvrsFields.DTE_SETTING,
        8,
        "INITPass 0, EIntPass 1, NMIPass 2, SysMgt 5:4, Lint0Pass 6, Lint1Pass 7");
    assertFields(IvrsFields.EXTENDED_DTE_SETTING, 32, "AtsDisabled 31");
    assertFields(IvrsFields.MEMORY_FLAGS, 8, "Unity 0, IR 1, IW 2, ExclusionRange 3");
  }

  private static void assertFields(Layout layout, int bits, String fields) {
    assertThat(describe(layout)).isEqualTo(fields);
    assertThat(covered(layout.name(), layout.words().getFirst())).isEqualTo((1L << bits) - 1);
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
          boolean tag = f.name().equals("GATag") && layout.equals(Irte.LONG);
          boolean free = List.of("IGN", "available").contains(f.name()) || tag;
          assertThat(f.kind() == Kind.IGNORED).as(layout.name() + "." + f.name()).isEqualTo(free);
        }
      }
    }
  }

  @Test
  void structures_have_the_sizes_that_the_specification_gives() {
    assertSize(DeviceTableEntry.LAYOUT, DeviceTableEntry.BYTES, 32);
    assertSize(Irte.LONG, Irte.LONG_BYTES, 16);
    assertSize(Irte.GUEST, Irte.LONG_BYTES, 16);
    assertThat(Irte.SHORT_BYTES).isEqualTo(4);
    assertSize(EventRecord.LAYOUT, EventRecord.BYTES, 16);
    assertSize(EventRecord.RMP_LAYOUT, EventRecord.BYTES, 16);
    assertSize(RmpEntry.LAYOUT, RmpEntry.BYTES, 16);
    assertSize(PprRecord.LAYOUT, PprRecord.BYTES, 16);
    assertSize(GaLogRecord.LAYOUT, GaLogRecord.BYTES, 8);
    for (int opcode = 1; opcode <= 10; opcode++) {
      assertSize(ALL.get("opcode " + opcode), Command.BYTES, 16);
    }
  }

  private static void assertSize(Layout layout, int declared, int bytes) {
    assertThat(declared).as(layout.name()).isEqualTo(bytes);
    assertThat(8 * layout.words().size()).as(layout.name()).isEqualTo(bytes);
  }

  @Test
  void reserved_masks_are_those_of_the_specification() {
    assertMasks(
        DeviceTableEntry.LAYOUT,
        0x8000_0000_0000_000cL,
        0,
        0x0030_0000_0000_0000L,
        0x001f_0000_0000_7fffL);
    assertThat(HostPte.POINTER_RESERVED).isEqualTo(0x1ff0_0000_0000_0000L);
    assertThat(HostPte.PAGE_RESERVED).isEqualTo(0x07f0_0000_0000_0000L);
    assertMasks(HostPte.LAYOUT, 0x01f0_0000_0000_0000L);
    assertThat(HostPte.LAYOUT.reservedMask(0) | HostPte.PMC.mask())
        .isEqualTo(HostPte.PAGE_RESERVED);
    assertMasks(GuestPte.GCR3_LAYOUT, 0xfff0_0000_0000_0ffeL);
    assertMasks(Irte.SHORT, 0xff00_0000L);
    assertMasks(Irte.LONG, 0, 0x00ff_ffff_ffff_ff00L);
    assertMasks(Irte.GUEST, 0x18, 0x00f0_0000_0000_0f00L);
    assertMasks(EventRecord.LAYOUT, 0x17f0_0000L, 0);
    assertMasks(PprRecord.LAYOUT, 0x0e19_c000_0000_0000L, 0xfff);
    assertMasks(GaLogRecord.LAYOUT, 0x0fff_0000_0000_0000L);
    assertMasks(Command.COMPLETION_WAIT_LAYOUT, 0x0ff0_0000_0000_0000L, 0);
    assertMasks(Command.INVALIDATE_DEVTAB_ENTRY_LAYOUT, 0x0fff_ffff_ffff_0000L, -1L);
    assertMasks(Command.INVALIDATE_IOMMU_PAGES_LAYOUT, 0x0fff_0000_fff0_0000L, 0xff8);
    assertMasks(Command.INVALIDATE_IOTLB_PAGES_LAYOUT, 0, 0xfca);
    assertMasks(Command.INVALIDATE_INTERRUPT_TABLE_LAYOUT, 0x0fff_ffff_ffff_0000L, -1L);
    assertMasks(Command.PREFETCH_IOMMU_PAGES_LAYOUT, 0x0ff0_0000_00ff_0000L, 0xfea);
    assertMasks(
        Command.COMPLETE_PPR_REQUEST_LAYOUT, 0x0ff0_0000_ffff_0000L, 0xffff_0e00_ffff_fffbL);
    assertMasks(Command.INVALIDATE_IOMMU_ALL_LAYOUT, 0x0fff_ffff_ffff_ffffL, -1L);
    assertMasks(Command.INSERT_GUEST_EVENT_LAYOUT, 0x0fff_0000_ffff_ffffL, -1L);
    assertMasks(Command.RESET_VMMIO_LAYOUT, 0x0fff_ffff_67ff_0000L, -1L);
  }

  private static void assertMasks(Layout layout, long... masks) {
    for (int w = 0; w < masks.length; w++) {
      assertThat(layout.reservedMask(w)).as(layout.name() + " word " + w).isEqualTo(masks[w]);
    }
  }

  @Test
  void commands_have_the_opcodes_of_the_specification() {
    assertThat(
            List.of(
                Command.COMPLETION_WAIT,
                Command.INVALIDATE_DEVTAB_ENTRY,
                Command.INVALIDATE_IOMMU_PAGES,
                Command.INVALIDATE_IOTLB_PAGES,
                Command.INVALIDATE_INTERRUPT_TABLE,
                Command.PREFETCH_IOMMU_PAGES,
                Command.COMPLETE_PPR_REQUEST,
                Command.INVALIDATE_IOMMU_ALL,
                Command.INSERT_GUEST_EVENT,
                Command.RESET_VMMIO))
        .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    assertThat(Command.layout(0)).isNull();
    assertThat(Command.layout(11)).isNull();
    assertThat(Command.layout(-1)).isNull();
    assertThat(Command.GUEST_ID.mask()).isEqualTo(0xffff_0000_0000L);
    assertThat(Command.RESET_GUEST_ID.mask()).isEqualTo(0xffff);
    assertThat(Command.RESET_ALL.mask()).isEqualTo(3L << 27);
    assertThat(Command.RESET_VCMD.mask()).isEqualTo(1L << 31);
  }

  /** As Linux 7.2 writes them. */
  @Test
  void worked_commands() {
    long wait =
        Command.OPCODE.of(Command.COMPLETION_WAIT)
            | Command.S_STORE.mask()
            | Command.STORE_ADDRESS.of(0x1_0234_5678L >>> 3);
    assertThat(wait).isEqualTo(0x1000_0001_0234_5679L);
    assertThat(Command.OPCODE.of(Command.INVALIDATE_IOMMU_PAGES) | Command.DOMAIN_ID.of(0xd))
        .isEqualTo(0x3000_000d_0000_0000L);
    assertThat(Command.ALL_PAGES | Command.S.mask() | Command.PDE.mask())
        .isEqualTo(0x7fff_ffff_ffff_f003L);
    int pasid = 0x51234;
    long iotlb =
        Command.OPCODE.of(Command.INVALIDATE_IOTLB_PAGES)
            | Command.DEVICE_ID.of(0x100)
            | Command.MAX_PEND.of(32)
            | Command.QUEUE_ID.of(0x100)
            | Command.PASID_15_8.of(pasid >>> 8)
            | Command.PASID_7_0.of(pasid)
            | Command.PASID_19_16.of(pasid >>> 16);
    assertThat(iotlb).isEqualTo(0x4534_0100_2012_0100L);
    assertThat(Command.iotlbPasid(iotlb)).isEqualTo(pasid);
    assertThat(Command.PPR_TAG.of(0x1ff) | Command.PPR_CODE.of(0xf) | Command.GN.mask())
        .isEqualTo(0xf1ff_0000_0004L);
  }

  @Test
  void worked_entries() {
    long identity =
        DeviceTableEntry.V.mask()
            | DeviceTableEntry.TV.mask()
            | DeviceTableEntry.IR.mask()
            | DeviceTableEntry.IW.mask();
    assertThat(identity).isEqualTo(0x6000_0000_0000_0003L);
    long interrupts =
        DeviceTableEntry.IV.mask()
            | DeviceTableEntry.INT_TAB_LEN.of(9)
            | DeviceTableEntry.INT_TAB_ROOT.of(0x1_01e4_0000L >>> 6)
            | DeviceTableEntry.INT_CTL.of(DeviceTableEntry.INT_REMAP);
    assertThat(interrupts).isEqualTo(0x2000_0001_01e4_0013L);
    long table = 0x000f_edcb_a987_6000L;
    long first = DeviceTableEntry.gcr3First(table);
    long second = DeviceTableEntry.gcr3Second(table);
    assertThat(DeviceTableEntry.gcr3(first, second)).isEqualTo(table);
    assertThat(first).isEqualTo(0x6L << 58);
    assertThat(second).isEqualTo((table >>> 15 & 0xffff) << 16 | (table >>> 31) << 43);
    assertThat(HostPte.NEXT_LEVEL.mask()).isEqualTo(0xe00);
    assertThat(HostPte.IR.mask() | HostPte.IW.mask() | HostPte.FC.mask() | HostPte.PR.mask())
        .isEqualTo(0x7000_0000_0000_0001L);
    assertThat(Irte.destination(0x3456_7800L, 0x1200_0000_0000_0000L)).isEqualTo(0x1234_5678);
  }

  /** The lowest 0 bit from bit 12 on tells. */
  @Test
  void page_sizes_are_told_by_the_address() {
    assertThat(HostPte.sizeShift(0)).as("8 KiB").isEqualTo(13);
    assertThat(HostPte.sizeShift(0x1000)).as("16 KiB").isEqualTo(14);
    assertThat(HostPte.sizeShift(0xf_f000)).as("2 MiB").isEqualTo(21);
    assertThat(HostPte.sizeShift(0x1fff_f000)).as("1 GiB").isEqualTo(30);
    assertThat(HostPte.sizeShift(0x7fff_f000)).as("4 GiB").isEqualTo(32);
    assertThat(HostPte.sizeShift(0x0007_ffff_ffff_f000L)).as("all").isEqualTo(52);
  }

  @Test
  void events_have_the_codes_of_the_specification() {
    List<String> found = new ArrayList<>();
    for (EventCode e : EventCode.values()) {
      found.add("%x %s".formatted(e.code(), e));
      assertThat(EventCode.of(e.code())).isEqualTo(e);
    }
    assertThat(found)
        .containsExactly(
            "1 ILLEGAL_DEV_TABLE_ENTRY",
            "2 IO_PAGE_FAULT",
            "3 DEV_TAB_HARDWARE_ERROR",
            "4 PAGE_TAB_HARDWARE_ERROR",
            "5 ILLEGAL_COMMAND_ERROR",
            "6 COMMAND_HARDWARE_ERROR",
            "7 IOTLB_INV_TIMEOUT",
            "8 INVALID_DEVICE_REQUEST",
            "9 INVALID_PPR_REQUEST",
            "a EVENT_COUNTER_ZERO",
            "b GUEST_EVENT_FAULT",
            "c VIOMMU_HARDWARE_ERROR",
            "d RMP_PAGE_FAULT",
            "e RMP_HARDWARE_ERROR");
    assertThat(EventCode.of(0)).isNull();
    assertThat(EventCode.of(15)).isNull();
  }

  /** Hardware was seen to log 0a00h: a posted write to the interrupt range with IntCtl = 0. */
  @Test
  void a_record_leads_to_its_causes() {
    long seen = EventRecord.CODE.of(8) | EventRecord.FLAGS.of(0xa00);
    assertThat(Reason.of(seen)).containsExactly(Reason.INTERRUPT_ABORTED);
    assertThat(EventRecord.TYPE.get(seen)).isEqualTo(5);
    for (Reason r : Reason.values()) {
      assertThat(Reason.of(EventRecord.CODE.of(r.code()) | r.flags())).as(r.name()).contains(r);
      assertThat(r.title()).isNotBlank();
      assertThat(r.advice()).isNotBlank();
      assertThat(r.event()).isEqualTo(EventCode.of(r.code()));
    }
    assertThat(Reason.of(0)).isEmpty();
    assertThat(Reason.of(-1L)).isEmpty();
  }
}
