package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.GPA;
import static org.iommu4j.amdvi.model.Tables.GVA;
import static org.iommu4j.amdvi.model.Tables.HOST_RW;
import static org.iommu4j.amdvi.model.Tables.IOVA;
import static org.iommu4j.amdvi.model.Tables.PASID;

import java.util.List;
import org.iommu4j.amdvi.SnpFirmware;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.HostPte;
import org.iommu4j.amdvi.layout.Irte;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.amdvi.layout.RmpEntry;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.PhysicalMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A system with SEV-SNP: the reverse map table's say, and what else is different. */
class SnpTest {
  private static final int RW = Access.READ | Access.WRITE;

  private Rig rig = RmpTable.unit().build().start();
  private RmpTable rmp = new RmpTable(rig);
  private Tables tables = new Tables(rig);

  @AfterEach
  void close() {
    rig.close();
  }

  private void unit(Rig.Builder builder) {
    rig.close();
    rig = builder.build().start();
    rmp = new RmpTable(rig);
    tables = new Tables(rig);
  }

  private void refuses(Reason reason, DmaRequest request, long first, long address) {
    assertThat(rig.translate(request)).isFalse();
    assertThat(rig.reason()).isEqualTo(reason);
    assertThat(rig.events()).containsExactly(new Rig.Record(first, address));
  }

  /** A write that the table forbids, and the record that Linux decodes. */
  private void refusesWrite(long iova) {
    long first = EventRecord.CODE.of(13) | EventRecord.RW.mask() | DEVICE;
    refuses(Reason.RMP_PAGE_FAULT, rig.request(DEVICE, iova, Access.WRITE), first, iova);
  }

  private void passes(DmaRequest request, int permissions, int shift) {
    assertThat(rig.translate(request)).isTrue();
    assertThat(rig.translation.permissions() & RW).isEqualTo(permissions);
    assertThat(rig.translation.rangeShift()).isEqualTo(shift);
    assertThat(rig.events()).isEmpty();
  }

  private DmaRequest write(long iova) {
    return rig.request(DEVICE, iova, Access.WRITE);
  }

  private DmaRequest read(long iova) {
    return rig.request(DEVICE, iova, Access.READ);
  }

  // ---- pages of 4 KiB

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void a_page_that_is_assigned_is_read_but_not_written(String cache) {
    unit(RmpTable.unit().option("cache", cache));
    tables.host();
    passes(write(IOVA), RW, 12);
    rmp.assign(tables.data);
    // No cache keeps what the table said.
    refusesWrite(IOVA);
    refusesWrite(IOVA + 0xffc);
    passes(read(IOVA), Access.READ, 12);
    refuses(
        Reason.RMP_PAGE_FAULT,
        rig.request(DEVICE, IOVA, Access.READ | Access.WRITE | Access.ATOMIC),
        EventRecord.CODE.of(13) | EventRecord.RW.mask() | DEVICE,
        IOVA);
    rmp.set(tables.data, 0);
    passes(write(IOVA), RW, 12);
  }

  @Test
  void a_neighbour_that_is_assigned_does_not_matter() {
    tables.host();
    rmp.assign(tables.data + 4096).assign(tables.data - 4096);
    passes(write(IOVA), RW, 12);
  }

  @Test
  void an_immutable_page_of_the_hypervisor_is_written() {
    tables.host();
    rmp.set(tables.data, RmpEntry.IMMUTABLE.mask());
    passes(write(IOVA), RW, 12);
  }

  @Test
  void a_page_of_firmware_is_not_written() {
    tables.host();
    rmp.set(
        tables.data, RmpEntry.ASSIGNED.mask() | RmpEntry.IMMUTABLE.mask() | RmpEntry.LOCK.mask());
    refusesWrite(IOVA);
  }

  @Test
  void an_entry_of_2_MiB_speaks_for_all_its_pages() {
    tables.host();
    long head = tables.data & -1L << 21;
    rmp.set(head, RmpEntry.ASSIGNED.mask() | RmpEntry.PAGE_SIZE.mask());
    refusesWrite(IOVA);
    rmp.set(head, RmpEntry.PAGE_SIZE.mask());
    passes(write(IOVA), RW, 12);
  }

  @Test
  void memory_beyond_the_table_is_written() {
    tables.host();
    tables.map(IOVA, 0x9_0000_0000L, HOST_RW);
    passes(write(IOVA), RW, 12);
  }

  // ---- larger pages

  @Test
  void a_page_of_2_MiB_is_written_if_no_page_of_it_is_assigned() {
    tables.host();
    long frame = rig.frames(512);
    rig.store(tables.slot(IOVA, 2), frame | HOST_RW);
    passes(write(IOVA), RW, 21);
    rmp.assign(frame + 5 * 4096);
    long first = EventRecord.CODE.of(13) | EventRecord.RW.mask() | DEVICE;
    refuses(Reason.RMP_LARGE_PAGE, write(IOVA), first, IOVA);
    passes(read(IOVA), Access.READ, 21);
  }

  @Test
  void its_first_page_counts_too() {
    tables.host();
    long frame = rig.frames(512);
    rig.store(tables.slot(IOVA, 2), frame | HOST_RW);
    rmp.assign(frame);
    assertThat(rig.translate(write(IOVA))).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.RMP_LARGE_PAGE);
  }

  @Test
  void a_page_of_1_GiB_is_looked_up_as_2_MiB() {
    tables.host();
    long iova = 0x12_0212_3000L;
    rig.store(tables.slot(iova, 3), Rig.MEMORY | HOST_RW);
    long there = Rig.MEMORY | 0x0200_0000;
    rmp.assign(there ^ 1 << 21);
    passes(write(iova), RW, 21);
    rmp.assign(there + 4096);
    assertThat(rig.translate(write(iova))).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.RMP_LARGE_PAGE);
  }

  @Test
  void a_page_between_is_looked_up_as_4_KiB() {
    tables.host();
    long frame = rig.frames(16);
    for (int i = 0; i < 16; i++) {
      // 64 KiB: bits 14:12 are ones, bit 15 is not.
      long at = tables.slot(IOVA & -0x1_0000L | i << 12, 1);
      rig.store(at, frame | 0x7000 | HOST_RW | HostPte.NEXT_LEVEL.of(7));
    }
    long there = frame | IOVA & 0xf000;
    rmp.assign(there ^ 0x1000);
    passes(write(IOVA), RW, 12);
    rmp.assign(there);
    refusesWrite(IOVA);
  }

  // ---- guests

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void a_record_names_the_guest_physical_address(String cache) {
    unit(RmpTable.unit().option("cache", cache));
    tables.nested();
    rmp.assign(tables.data);
    assertThat(rig.reads(DEVICE, PASID, GVA)).isTrue();
    for (int i = 0; i < 2; i++) {
      refuses(
          Reason.RMP_PAGE_FAULT,
          write(GVA + 0x124).pasid(PASID),
          EventRecord.CODE.of(13) | EventRecord.RW.mask() | DEVICE,
          GPA + 0x124);
    }
  }

  @Test
  void accessed_and_dirty_bits_are_writes() {
    tables.host().set(0, DeviceTableEntry.HAD, 3);
    long table = tables.slot(IOVA, 1) & -4096;
    rmp.assign(table);
    long before = rig.load(tables.slot(IOVA, 1));
    refuses(Reason.RMP_TABLE_WRITE, read(IOVA), EventRecord.CODE.of(13) | DEVICE, IOVA);
    assertThat(rig.load(tables.slot(IOVA, 1))).isEqualTo(before);
    rmp.set(table, 0);
    passes(write(IOVA), RW, 12);
    // Nothing is left to be set: nobody writes.
    rmp.assign(table);
    passes(write(IOVA), RW, 12);
  }

  @Test
  void a_guest_s_bits_are_writes_too() {
    tables.nested();
    rmp.assign(tables.guestRoot);
    refuses(
        Reason.RMP_TABLE_WRITE,
        read(GVA).pasid(PASID),
        EventRecord.CODE.of(13) | DEVICE,
        tables.guestSlot(GVA, 4));
  }

  // ---- devices with IOTLBs

  @Test
  void a_translation_request_is_not_granted_what_a_write_would_not_get() {
    tables.host();
    rmp.assign(tables.data);
    assertThat(rig.asks(DEVICE, DmaRequest.NO_PASID, IOVA)).isTrue();
    assertThat(rig.translation.permissions() & RW).isEqualTo(Access.READ);
    rmp.set(tables.data, 0);
    assertThat(rig.asks(DEVICE, DmaRequest.NO_PASID, IOVA)).isTrue();
    assertThat(rig.translation.permissions() & RW).isEqualTo(RW);
    assertThat(rig.events()).isEmpty();
  }

  @Test
  void a_translation_request_gets_no_W_where_the_dirty_bit_cannot_be_set() {
    tables.host().set(0, DeviceTableEntry.HAD, 3);
    assertThat(rig.reads(DEVICE, IOVA)).isTrue();
    rmp.assign(tables.slot(IOVA, 1) & -4096);
    assertThat(rig.asks(DEVICE, DmaRequest.NO_PASID, IOVA)).isTrue();
    assertThat(rig.translation.permissions() & RW).isEqualTo(Access.READ);
    assertThat(rig.events()).isEmpty();
  }

  @Test
  void a_pretranslated_write_is_looked_up() {
    tables.host();
    rmp.assign(tables.data);
    DmaRequest request = write(tables.data + 8).addressType(AddressType.TRANSLATED);
    long first = EventRecord.CODE.of(13) | EventRecord.RW.mask() | DEVICE;
    refuses(Reason.RMP_PAGE_FAULT, request, first, tables.data + 8);
    passes(write(tables.data + 4096).addressType(AddressType.TRANSLATED), RW, 12);
  }

  // ---- without tables

  @Test
  void a_device_that_nothing_is_said_of_is_looked_up() {
    long page = rig.frame();
    passes(write(page), RW, 12);
    rmp.assign(page);
    refusesWrite(page);
    passes(read(page), Access.READ, 30);
  }

  @Test
  void a_unit_that_is_off_looks_nothing_up() {
    long page = rig.frame();
    rmp.assign(page);
    rig.control(Control.IOMMU_EN, 0);
    assertThat(rig.writes(DEVICE, page)).isTrue();
  }

  @Test
  void what_goes_to_a_special_range_is_no_memory() {
    tables.host().set(1, DeviceTableEntry.SYS_MGT, 1);
    passes(write(0xfd_f910_0000L), RW, 20);
  }

  @Test
  void passing_through_is_illegal() {
    tables.host().set(0, DeviceTableEntry.MODE, 0);
    refuses(Reason.DTE_MODE, read(IOVA), EventRecord.CODE.of(1) | DEVICE, IOVA);
    tables.guest();
    rig.submit(Rig.invalidateDevice(DEVICE));
    assertThat(rig.reads(DEVICE, PASID, GVA)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.DTE_MODE);
  }

  @Test
  void a_device_is_blocked_as_ever() {
    tables.valid().set(0, DeviceTableEntry.TV, 0);
    assertThat(rig.reads(DEVICE, IOVA)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.BLOCKED);
  }

  // ---- a table that cannot be read

  @Test
  void an_entry_that_cannot_be_read_is_a_hardware_error() {
    tables.host();
    long at = RmpTable.entry(tables.data);
    rig.memory.inject(at & -64, 64, Failure.POISON);
    refuses(
        Reason.RMP_HARDWARE,
        write(IOVA),
        EventRecord.CODE.of(14) | EventRecord.RW.mask() | EventRecord.HW_TYPE.of(3) | DEVICE,
        at);
    passes(read(IOVA), Access.READ, 12);
    // The device is not told what would be wrong.
    assertThat(rig.asks(DEVICE, DmaRequest.NO_PASID, IOVA)).isFalse();
    assertThat(rig.codes()).containsExactly(14);
    // No record of those that the registers keep.
    assertThat(rig.read(Registers.HARDWARE_EVENT_STATUS)).isZero();
  }

  @Test
  void the_first_entry_of_2_MiB_has_to_be_read_too() {
    tables.host();
    long head = RmpTable.entry(tables.data & -1L << 21);
    rig.memory.inject(head, 16, Failure.ACCESS);
    assertThat(rig.writes(DEVICE, IOVA)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.RMP_HARDWARE);
    assertThat(rig.events().getFirst().second()).isEqualTo(head);
  }

  // ---- segments

  private static final long SEGMENTED = 31 << 8 | 1;

  private void segmented() {
    rig.close();
    rig =
        RmpTable.capable()
            .option("rmp_base", RmpTable.hex(RmpTable.BASE))
            .option("rmp_cfg", RmpTable.hex(SEGMENTED))
            .build()
            .start();
    rmp = new RmpTable(rig);
    tables = new Tables(rig).host();
  }

  /** The segment table's entry of the memory that there is. */
  private static long segment() {
    return RmpTable.BASE + RmpEntry.BOOKKEEPING_BYTES + 8 * (Rig.MEMORY >>> 31);
  }

  @Test
  void a_segment_of_the_table_is_found() {
    segmented();
    long entries = rig.frames(256 * 4);
    rig.store(segment(), entries | 1);
    passes(write(IOVA), RW, 12);
    long at = entries + ((tables.data & 0x7fff_ffff) >>> 12 << 4);
    rig.store(at, RmpEntry.ASSIGNED.mask());
    refusesWrite(IOVA);
    // It is for less memory than it could be.
    tables.map(IOVA, Rig.MEMORY + (1L << 30), HOST_RW);
    rig.submit(Rig.invalidatePages(Tables.DOMAIN), Command.S.mask() | 0x7fff_ffff_ffff_f000L);
    passes(write(IOVA), RW, 12);
  }

  @Test
  void memory_without_a_segment_is_written() {
    segmented();
    passes(write(IOVA), RW, 12);
    tables.map(IOVA, 0xf_ffff_ffff_f000L, HOST_RW); // beyond 512 of them
    rig.submit(Rig.invalidatePages(Tables.DOMAIN), Command.S.mask() | 0x7fff_ffff_ffff_f000L);
    passes(write(IOVA), RW, 12);
  }

  @Test
  void a_segment_table_that_cannot_be_read_is_a_hardware_error() {
    segmented();
    rig.memory.inject(segment(), 8, Failure.ACCESS);
    assertThat(rig.writes(DEVICE, IOVA)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.RMP_HARDWARE);
    assertThat(rig.events().getFirst().second()).isEqualTo(segment());
  }

  // ---- completions, interrupts

  private void completes(long at, boolean allowed) {
    long first = Rig.completionWait() | Command.S_STORE.mask() | at;
    rig.append(first, 0x1234_5678L).kick();
    assertThat(rig.status(Registers.CMD_BUF_RUN)).isEqualTo(allowed);
    assertThat(rig.load(at)).isEqualTo(allowed ? 0x1234_5678L : 0);
    assertThat(rig.codes()).isEqualTo(allowed ? List.of() : List.of(6));
    if (!allowed) {
      rig.restartCommands();
    }
  }

  @Test
  void completions_are_stored_within_their_window_whoever_owns_it() {
    long page = rig.frame();
    completes(page, false);
    rig.write(Registers.EXCLUSION_BASE, page);
    rig.write(Registers.EXCLUSION_LIMIT, page);
    rmp.assign(page); // by firmware, for the unit
    completes(page + 0xff8, true);
    completes(page + 0x1000, false);
  }

  @Test
  void a_log_is_written_whoever_owns_it() {
    rmp.assign(rig.events);
    tables.valid().set(0, DeviceTableEntry.TV, 0);
    assertThat(rig.reads(DEVICE, IOVA)).isFalse();
    assertThat(rig.codes()).containsExactly(2);
  }

  private long guestInterrupt() {
    long page = rig.frame();
    tables.interrupts(3);
    rig.store(
        tables.interrupts, Irte.REMAP_EN.of(1) | Irte.GUEST_MODE.of(1), page | Irte.VECTOR.of(5));
    return page;
  }

  @Test
  void guest_mode_needs_leave_of_its_own() {
    rig.startGuestApic();
    long page = guestInterrupt();
    assertThat(rig.remap(DEVICE, 0xfee0_0000L, 0)).isFalse();
    assertThat(rig.delivery.reason()).isEqualTo(Reason.INTERRUPT_ENTRY);
    rig.control(Control.SNP_AVIC_EN, 1);
    assertThat(rig.remap(DEVICE, 0xfee0_0000L, 0)).isTrue();
    assertThat(rig.load(page + 0x200)).isEqualTo(1 << 5);
  }

  @Test
  void an_interrupt_is_not_recorded_in_a_page_that_is_assigned() {
    rig.startGuestApic().control(Control.SNP_AVIC_EN, 1);
    long page = guestInterrupt();
    rmp.assign(page);
    assertThat(rig.remap(DEVICE, 0xfee0_0000L, 0)).isFalse();
    assertThat(rig.load(page + 0x200)).isZero();
    long first = EventRecord.CODE.of(13) | EventRecord.I.mask() | DEVICE;
    assertThat(rig.events()).containsExactly(new Rig.Record(first, page + 0x200));
  }

  // ---- what a person is shown

  @Test
  void a_walk_shows_the_table_s_entries() {
    tables.host();
    rmp.assign(tables.data);
    var walk = rig.unit.inspector().walk(write(IOVA));
    assertThat(walk.outcome()).contains(Reason.RMP_PAGE_FAULT.title());
    assertThat(walk.steps())
        .extracting(s -> s.layout().name())
        .endsWith("reverse map table entry", "reverse map table entry");
    assertThat(rig.events()).isEmpty();
  }

  // ---- firmware

  private void firmware(Rig.Builder builder) {
    rig.close();
    rig = builder.build();
    rmp = new RmpTable(rig);
  }

  private void enable() {
    SnpFirmware.enable(rig.unit, RmpTable.BASE, RmpTable.END, 0);
  }

  @Test
  void firmware_needs_a_unit_that_is_made_for_it_and_on() {
    firmware(RmpTable.capable());
    assertThatThrownBy(this::enable).isInstanceOf(IllegalStateException.class);
    rig.start();
    enable();
    firmware(Rig.with());
    rig.start();
    assertThatThrownBy(this::enable).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void firmware_s_switch_counts_from_the_next_request_on() {
    firmware(RmpTable.capable());
    rig.start();
    tables = new Tables(rig).host();
    rmp.assign(tables.data);
    passes(write(IOVA), RW, 12);
    Tables through = new Tables(rig, DEVICE + 1).valid();
    assertThat(rig.reads(through.device, IOVA)).isTrue();
    enable();
    refusesWrite(IOVA);
    assertThat(rig.reads(through.device, IOVA)).isFalse();
    assertThat(rig.reason()).isEqualTo(Reason.DTE_MODE);
    assertThat(rig.codes()).containsExactly(1);
    SnpFirmware.disable(rig.unit);
    passes(write(IOVA), RW, 12);
    assertThat(rig.reads(through.device, IOVA)).isTrue();
  }

  @Test
  void firmware_locks_where_things_are() {
    firmware(RmpTable.capable());
    rig.start();
    List<Register> locked =
        List.of(
            Registers.DEVICE_TABLE,
            Registers.DEVICE_TABLE_SEGMENT.get(0),
            Registers.COMMAND_BUFFER,
            Registers.EVENT_LOG,
            Registers.EVENT_LOG_B,
            Registers.PPR_LOG,
            Registers.PPR_LOG_B,
            Registers.GA_LOG,
            Registers.GA_LOG_TAIL_ADDRESS,
            Registers.EXCLUSION_BASE,
            Registers.EXCLUSION_LIMIT);
    // Rings can be moved while they do not run; the device table stays where it is for now.
    rig.control(Control.CMD_BUF_EN, 0).control(Control.EVENT_LOG_EN, 0);
    enable();
    List<Long> before = locked.stream().map(rig::read).toList();
    for (Register r : locked) {
      rig.write(r, ~rig.read(r));
    }
    rig.control(Control.IOMMU_EN, 0).control(Control.DEV_TBL_SEG_EN, 1);
    assertThat(locked.stream().map(rig::read).toList()).isEqualTo(before);
    assertThat(rig.read(Control.REGISTER, Control.IOMMU_EN)).isEqualTo(1);
    assertThat(rig.read(Control.REGISTER, Control.DEV_TBL_SEG_EN)).isZero();
    // All else of Control is as ever.
    rig.control(Control.CMD_BUF_EN, 1);
    assertThat(rig.status(Registers.CMD_BUF_RUN)).isTrue();
    rig.control(Control.CMD_BUF_EN, 0);
    SnpFirmware.disable(rig.unit);
    for (Register r : locked) {
      rig.write(r, rig.read(r) ^ 0x1000);
    }
    rig.control(Control.IOMMU_EN, 0);
    for (int i = 0; i < before.size(); i++) {
      assertThat(rig.read(locked.get(i)))
          .as(locked.get(i).name())
          .isEqualTo(before.get(i) ^ 0x1000);
    }
    assertThat(rig.read(Control.REGISTER, Control.IOMMU_EN)).isZero();
  }

  @Test
  void a_unit_that_is_created_so_has_no_locks() {
    rig.write(Registers.DEVICE_TABLE, 0x1_0000);
    assertThat(rig.read(Registers.DEVICE_TABLE)).isEqualTo(0x1_0000);
  }

  @Test
  void firmware_knows_only_units_of_this_architecture() {
    try (PhysicalMemory memory = new PhysicalMemory()) {
      memory.addAnonymous(0, 4096);
      assertThatThrownBy(() -> SnpFirmware.enable(rig.unit, 0, 0, 0))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> SnpFirmware.enable(rig.unit, RmpTable.BASE, 0, 0))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  // ---- settings

  @ParameterizedTest
  @CsvSource({
    "0x1000, 0x1fffff, 0, rmp_base",
    "0x0, 0x1fffff, 0, rmp_base",
    "0x10000000000000, 0x1fffff, 0, rmp_base",
    "0x100000, 0x0, 0, rmp_end",
    "0x100000, 0x103fff, 0, rmp_end",
    "0x100000, 0x200000, 0, rmp_end",
    "0x100000, 0x1fffff, 0x1f01, rmp_end",
    "0x100000, 0x0, 0x1d01, rmp_cfg",
    "0x100000, 0x0, 0x3401, rmp_cfg",
    "0x100000, 0x1fffff, 0x1f00, rmp_cfg"
  })
  void a_table_that_cannot_be_is_refused(String base, String end, String cfg, String option) {
    Rig.Builder builder =
        RmpTable.capable().option("rmp_base", base).option("rmp_end", end).option("rmp_cfg", cfg);
    assertThatThrownBy(builder::build)
        .isInstanceOf(Options.InvalidOption.class)
        .hasMessageContaining("'" + option + "'");
  }

  @Test
  void snp_needs_its_feature() {
    Rig.Builder builder = RmpTable.unit().efr(ExtendedFeatures.SNP_SUP, 0);
    assertThatThrownBy(builder::build).hasMessageContaining("SNPSup");
  }

  @ParameterizedTest
  @CsvSource({"efr, 0x80000000, SATSSup", "efr2, 0x2, SevSnpIoSup", "efr2, 0x4, TMPMSup"})
  void what_the_model_does_not_have_cannot_be_announced(String option, String value, String name) {
    try (PhysicalMemory memory = new PhysicalMemory()) {
      Host host = Host.of(memory);
      assertThatThrownBy(
              () ->
                  Architecture.named("amdvi")
                      .create(Options.of(java.util.Map.of(option, value)), host))
          .isInstanceOf(Options.InvalidOption.class)
          .hasMessageContaining(name);
    }
  }
}
