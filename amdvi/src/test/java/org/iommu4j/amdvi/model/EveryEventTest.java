package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.DOMAIN;
import static org.iommu4j.amdvi.model.Tables.GVA;
import static org.iommu4j.amdvi.model.Tables.IOVA;
import static org.iommu4j.amdvi.model.Tables.PASID;

import java.util.Set;
import org.iommu4j.amdvi.layout.CapabilityBlock;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.EventCode;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.GuestPte;
import org.iommu4j.amdvi.layout.HostPte;
import org.iommu4j.amdvi.layout.Irte;
import org.iommu4j.amdvi.layout.PprRecord;
import org.iommu4j.amdvi.layout.PrivateSpace;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.memory.Failure;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every reason is produced by something that a device or software does, and by its own name. */
class EveryEventTest {
  private static final int READ = Access.READ;
  private static final int WRITE = Access.WRITE;
  private static final int NONE = DmaRequest.NO_PASID;
  private static final int OUTSIDE = 0x900;
  private static final long MESSAGE = 0xfee0_5000L;
  private static final int INDEX = 3;

  /** Type of a hardware error: nobody answers. */
  private static final long MASTER_ABORT = EventRecord.HW_TYPE.of(1);

  private Rig rig = Rig.standard("off").start();
  private Tables tables = new Tables(rig);

  /** Set in the device's entry before anything happens. */
  private long suppress;

  private boolean translationRequest;
  private long irteBits;

  @AfterEach
  void close() {
    rig.close();
  }

  private void unit(Rig.Builder builder) {
    rig.close();
    rig = builder.option("cache", "off").build().start();
    tables = new Tables(rig);
  }

  @ParameterizedTest
  @EnumSource(Reason.class)
  void every_reason_is_recorded_with_all_that_belongs_to_it(Reason reason) {
    Rig.Record expected = produce(reason);
    assertThat(rig.events()).containsExactly(expected);
    assertThat(Reason.of(expected.first())).contains(reason);
  }

  @ParameterizedTest
  @EnumSource(Reason.class)
  void sa_suppresses_page_faults_and_nothing_else(Reason reason) {
    suppress = DeviceTableEntry.SA.mask();
    Rig.Record expected = produce(reason);
    if (reason.isPageFault() && reason != Reason.DEVICE_OUT_OF_TABLE) {
      assertThat(rig.events()).isEmpty();
    } else {
      assertThat(rig.events()).containsExactly(expected);
    }
  }

  @ParameterizedTest
  @EnumSource(Reason.class)
  void a_page_fault_of_a_translation_request_is_answered_without_an_event(Reason reason) {
    if (!reason.isPageFault() || reason == Reason.BLOCKED) {
      return; // translation requests of a blocked device are invalid
    }
    translationRequest = true;
    produce(reason);
    assertThat(rig.events()).isEmpty();
  }

  @Test
  void se_suppresses_page_faults_after_the_first_until_the_entry_is_invalidated() {
    tables.host().set(1, DeviceTableEntry.SE);
    Rig.Record first = reads(Reason.NOT_PRESENT, IOVA + 4096);
    reads(Reason.NOT_PRESENT, IOVA + 8192);
    tables.map(IOVA, tables.data, HostPte.PR.of(1) | HostPte.IR.of(1));
    asks(Reason.PERMISSION, NONE, IOVA, WRITE);
    assertThat(rig.events()).containsExactly(first);
    rig.submit(Rig.invalidateDevice(DEVICE));
    Rig.Record again = reads(Reason.NOT_PRESENT, IOVA + 4096);
    reads(Reason.NOT_PRESENT, IOVA + 8192);
    assertThat(rig.events()).containsExactly(again);
  }

  @Test
  void se_is_a_matter_of_each_device() {
    tables.host().set(1, DeviceTableEntry.SE);
    Tables other = new Tables(rig, DEVICE + 1).host().set(1, DeviceTableEntry.SE);
    assertThat(rig.reads(DEVICE, IOVA + 4096)).isFalse();
    assertThat(rig.reads(other.device, IOVA + 4096)).isFalse();
    assertThat(rig.events()).hasSize(2);
  }

  @Test
  void se_does_not_suppress_other_events() {
    tables.host().set(1, DeviceTableEntry.SE).set(1, DeviceTableEntry.I, 0);
    reads(Reason.NOT_PRESENT, IOVA + 4096);
    translated(Reason.TRANSLATED_WITHOUT_IOTLB, IOVA);
    translated(Reason.TRANSLATED_WITHOUT_IOTLB, IOVA);
    assertThat(rig.codes()).containsExactly(2, 8, 8);
  }

  @ParameterizedTest
  @EnumSource(
      value = Reason.class,
      names = {"INTERRUPT_INDEX", "INTERRUPT_DISABLED", "INTERRUPT_TYPE", "INTERRUPT_ABORTED"})
  void ig_suppresses_events_of_interrupts_that_are_not_mapped(Reason reason) {
    tables.interrupts(3).set(2, DeviceTableEntry.IG);
    produce(reason);
    assertThat(rig.events()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      value = Reason.class,
      names = {
        "DTE_INT_RESERVED",
        "DTE_INT_CONTROL",
        "DTE_INT_LENGTH",
        "DTE_INT_MODE",
        "INTERRUPT_TABLE_READ"
      })
  void ig_does_not_suppress_what_is_wrong_with_the_tables(Reason reason) {
    tables.interrupts(3).set(2, DeviceTableEntry.IG);
    Rig.Record expected = produce(reason);
    assertThat(rig.events()).containsExactly(expected);
  }

  @ParameterizedTest
  @EnumSource(
      value = Reason.class,
      names = {"INTERRUPT_DISABLED", "INTERRUPT_ENTRY"})
  void sup_iopf_suppresses_events_of_its_entry(Reason reason) {
    irteBits = Irte.SUP_IOPF.of(1);
    produce(reason);
    assertThat(rig.events()).isEmpty();
  }

  @Test
  void nothing_is_recorded_while_the_log_is_off() {
    rig.control(Control.EVENT_LOG_EN, 0);
    tables.host();
    reads(Reason.NOT_PRESENT, IOVA + 4096);
    assertThat(rig.read(Registers.EVENT_TAIL)).isZero();
    assertThat(rig.load(rig.events)).isZero();
  }

  @Test
  void every_code_that_the_unit_has_is_produced_by_a_reason() {
    Set<EventCode> of =
        java.util.Arrays.stream(Reason.values())
            .map(Reason::event)
            .collect(java.util.stream.Collectors.toSet());
    assertThat(of).containsExactlyInAnyOrder(EventCode.values());
  }

  @ParameterizedTest
  @EnumSource(
      value = Reason.class,
      names = {"DEVICE_TABLE_READ", "PAGE_TABLE_READ", "COMMAND_HARDWARE"})
  void hardware_errors_are_in_the_hardware_event_registers_too(Reason reason) {
    Rig.Record expected = produce(reason);
    assertThat(rig.read(Registers.HARDWARE_EVENT_UPPER)).isEqualTo(expected.first());
    assertThat(rig.read(Registers.HARDWARE_EVENT_LOWER)).isEqualTo(expected.second());
    assertThat(rig.read(Registers.HARDWARE_EVENT_STATUS)).isEqualTo(Registers.HEV.mask());
    produce(reason);
    assertThat(rig.read(Registers.HARDWARE_EVENT_STATUS))
        .isEqualTo(Registers.HEV.mask() | Registers.HEO.mask());
    rig.write(Registers.HARDWARE_EVENT_STATUS, 3);
    assertThat(rig.read(Registers.HARDWARE_EVENT_STATUS)).isZero();
  }

  /** HtAtsResv. */
  private Tables reservedForAnswers() {
    long misc =
        CapabilityBlock.HT_ATS_RESV.mask()
            | CapabilityBlock.PA_SIZE.of(52)
            | CapabilityBlock.VA_SIZE.of(64);
    unit(Rig.with().option("misc_0", "0x" + Long.toHexString(misc)));
    return tables;
  }

  // ---- requests

  private Rig.Record asks(Reason reason, int pasid, long address, int access) {
    return asks(reason, DEVICE, pasid, address, access, address);
  }

  private Rig.Record asks(
      Reason reason, int device, int pasid, long address, int access, long recorded) {
    DmaRequest request = rig.request(device, address, access).pasid(pasid);
    if (translationRequest) {
      request.access(access | READ | WRITE).addressType(AddressType.TRANSLATION_REQUEST);
      boolean passed = rig.translate(request);
      int wanted = reason == Reason.GUEST_NO_EXECUTE ? Access.EXECUTE : access & (READ | WRITE);
      assertThat(passed).isTrue();
      assertThat(rig.translation.permissions() & wanted).isNotEqualTo(wanted);
      return new Rig.Record(0, 0);
    }
    assertThat(rig.translate(request)).isFalse();
    assertThat(rig.reason()).isEqualTo(reason);
    return event(reason, device, pasid, (access & WRITE) != 0, recorded);
  }

  private Rig.Record event(Reason reason, int device, int pasid, boolean write, long recorded) {
    long first = EventRecord.CODE.of(reason.code()) | reason.flags() | device;
    boolean named = reason != Reason.DEVICE_OUT_OF_TABLE;
    long withPasid =
        EventRecord.DOMAIN_OR_PASID.of(Math.max(0, pasid))
            | EventRecord.PASID_19_16.of(Math.max(0, pasid) >>> 16);
    switch (reason.event()) {
      case IO_PAGE_FAULT, PAGE_TAB_HARDWARE_ERROR ->
          first |=
              reason.isGuest()
                  ? withPasid
                  : EventRecord.DOMAIN_OR_PASID.of(named && tables.valid ? DOMAIN : 0);
      case ILLEGAL_DEV_TABLE_ENTRY, INVALID_DEVICE_REQUEST ->
          first |= pasid >= 0 ? withPasid | EventRecord.GN.mask() : 0;
      default -> {}
    }
    boolean told = (reason.code() <= 4 || reason.code() >= 13) && !reason.isInterrupt();
    first |= write && told ? EventRecord.RW.mask() : 0;
    return new Rig.Record(first, recorded);
  }

  private Rig.Record reads(Reason reason, long address) {
    return asks(reason, NONE, address, READ);
  }

  private Rig.Record readsGuest(Reason reason, long address) {
    return asks(reason, PASID, address, READ);
  }

  private Rig.Record translated(Reason reason, long address) {
    DmaRequest request =
        rig.request(DEVICE, address, READ)
            .addressType(
                reason == Reason.TRANSLATED_WITHOUT_IOTLB
                    ? AddressType.TRANSLATED
                    : AddressType.TRANSLATION_REQUEST);
    assertThat(rig.translate(request)).isFalse();
    assertThat(rig.reason()).isEqualTo(reason);
    return event(reason, DEVICE, NONE, false, address);
  }

  private Rig.Record interrupt(Reason reason, int data, long recorded) {
    if (suppress != 0) {
      tables.or(tables.entry + 8, suppress);
    }
    assertThat(rig.remap(DEVICE, MESSAGE, data)).isFalse();
    assertThat(rig.delivery.reason()).isEqualTo(reason);
    assertThat(rig.messages).isEmpty();
    return event(reason, DEVICE, NONE, false, recorded);
  }

  private Rig.Record interrupt(Reason reason, int data) {
    return interrupt(reason, data, MESSAGE);
  }

  /** An interrupt table with one entry. */
  private void irte(long entry) {
    rig.store(tables.interrupts + 4 * (INDEX & ~1), (entry | irteBits) << 32 * (INDEX & 1));
  }

  private Tables withInterrupts() {
    boolean ig = DeviceTableEntry.IG.isSet(rig.load(tables.entry + 16));
    tables.interrupts(3);
    return ig ? tables.set(2, DeviceTableEntry.IG) : tables;
  }

  /** A unit with virtual IOMMUs; the device is a guest's. */
  private GuestRig virtual() {
    rig.close();
    GuestRig guest = new GuestRig("off").start();
    rig = guest.rig;
    tables = guest.device;
    return guest;
  }

  private Tables host() {
    return tables.host().or(tables.entry + 8, suppress);
  }

  private Tables guest() {
    return tables.guest().or(tables.entry + 8, suppress);
  }

  private Rig.Record pageRequest(Reason reason) {
    int group = 0x55;
    rig.pageRequest(DEVICE, PASID, IOVA | group << 3 | 4 | 1);
    assertThat(rig.responses).hasSize(1);
    assertThat(rig.responses.getFirst().code()).isEqualTo(1);
    assertThat(rig.responses.getFirst().group()).isEqualTo(group);
    return new Rig.Record(
        EventRecord.CODE.of(reason.code())
            | PprRecord.DEVICE_ID.of(DEVICE)
            | PprRecord.PASID_15_0.of(PASID)
            | PprRecord.PASID_19_16.of(PASID >>> 16)
            | PprRecord.TAG.of(0x200 | group),
        IOVA);
  }

  /** The unit of a system that is SNP-enabled. */
  private RmpTable snp() {
    unit(RmpTable.unit());
    return new RmpTable(rig);
  }

  /** Brings the reason about; returns the record that there has to be. */
  private Rig.Record produce(Reason reason) {
    return switch (reason) {
      case DTE_RESERVED -> {
        host().or(tables.entry, 1L << 63);
        yield reads(reason, IOVA);
      }
      case DTE_IO_CONTROL -> {
        host().set(1, DeviceTableEntry.IO_CTL, 3);
        yield reads(reason, IOVA);
      }
      case DTE_MODE -> {
        host().set(0, DeviceTableEntry.MODE, 7);
        yield reads(reason, IOVA);
      }
      case DTE_INT_RESERVED -> {
        withInterrupts().or(tables.entry + 16, 1L << 52);
        yield interrupt(reason, INDEX);
      }
      case DTE_INT_CONTROL -> {
        withInterrupts().set(2, DeviceTableEntry.INT_CTL, 3);
        yield interrupt(reason, INDEX);
      }
      case DTE_INT_LENGTH -> {
        withInterrupts().set(2, DeviceTableEntry.INT_TAB_LEN, 12);
        yield interrupt(reason, INDEX);
      }
      case DTE_INT_MODE -> {
        snp();
        withInterrupts().valid();
        yield interrupt(reason, INDEX);
      }
      case DEVICE_OUT_OF_TABLE -> asks(reason, OUTSIDE, NONE, IOVA, READ, IOVA);
      case BLOCKED -> {
        host().set(0, DeviceTableEntry.TV, 0);
        yield reads(reason, IOVA);
      }
      case DTE_PERMISSION -> {
        host().set(0, DeviceTableEntry.IW, 0);
        yield asks(reason, NONE, IOVA, WRITE);
      }
      case MODE_UNSUPPORTED -> {
        unit(Rig.with().efr(ExtendedFeatures.HATS, 0));
        host().set(0, DeviceTableEntry.MODE, 5);
        yield asks(reason, NONE, IOVA, WRITE);
      }
      case TOO_WIDE -> {
        host();
        yield reads(reason, IOVA | 1L << 48);
      }
      case NOT_PRESENT -> {
        host();
        yield reads(reason, IOVA + 4096 + 0x124);
      }
      case PTE_RESERVED -> {
        host().or(tables.slot(IOVA, 1), 1L << 52);
        yield reads(reason, IOVA);
      }
      case PTE_LEVEL -> {
        host().or(tables.slot(IOVA, 2), HostPte.NEXT_LEVEL.of(2));
        yield reads(reason, IOVA);
      }
      case PTE_SKIPPED -> {
        host();
        long leafTable = HostPte.ADDRESS.in(rig.load(tables.slot(IOVA, 2)));
        rig.store(tables.slot(IOVA, 3), leafTable | Tables.HOST_RW | HostPte.NEXT_LEVEL.of(1));
        yield reads(reason, IOVA);
      }
      case PTE_SIZE -> {
        host();
        rig.store(tables.slot(IOVA, 1), 0x4_000f_f000L | Tables.HOST_RW | HostPte.NEXT_LEVEL.of(7));
        yield reads(reason, IOVA);
      }
      case PERMISSION -> {
        host().map(IOVA, tables.data, HostPte.PR.of(1) | HostPte.IR.of(1));
        yield asks(reason, NONE, IOVA, WRITE);
      }
      case GCR3_INVALID -> {
        guest();
        rig.store(tables.gcr3Slot(PASID), 0);
        yield readsGuest(reason, GVA);
      }
      case GCR3_RESERVED -> {
        guest().or(tables.gcr3Slot(PASID), 1 << 5);
        yield readsGuest(reason, GVA);
      }
      case GUEST_NOT_CANONICAL -> {
        guest();
        yield readsGuest(reason, GVA | 1L << 50);
      }
      case GUEST_NOT_PRESENT -> {
        guest();
        yield readsGuest(reason, GVA + 4096);
      }
      case GUEST_RESERVED -> {
        guest().or(tables.guestSlot(GVA, 2), GuestPte.PS.mask() | 1 << 13);
        yield asks(reason, PASID, GVA, WRITE);
      }
      case GUEST_PERMISSION -> {
        guest().mapGuest(GVA, tables.data, GuestPte.P.of(1) | GuestPte.US.of(1));
        yield asks(reason, PASID, GVA, WRITE);
      }
      case GUEST_USER -> {
        guest().mapGuest(GVA, tables.data, GuestPte.P.of(1) | GuestPte.RW.of(1));
        yield readsGuest(reason, GVA);
      }
      case GUEST_NO_EXECUTE -> {
        guest().mapGuest(GVA, tables.data, Tables.GUEST_RW | GuestPte.NX.mask());
        yield asks(reason, PASID, GVA, READ | Access.EXECUTE);
      }
      case PASID_WITHOUT_GUEST -> {
        host();
        yield asks(reason, PASID, IOVA, READ);
      }
      case INTERRUPT_INDEX -> {
        withInterrupts();
        yield interrupt(reason, 8);
      }
      case INTERRUPT_DISABLED -> {
        withInterrupts();
        irte(0);
        yield interrupt(reason, INDEX);
      }
      case INTERRUPT_ENTRY -> {
        withInterrupts();
        irte(Irte.REMAP_EN.of(1) | Irte.INT_TYPE.of(2));
        yield interrupt(reason, INDEX);
      }
      case INTERRUPT_TYPE -> {
        withInterrupts();
        yield interrupt(reason, 4 << 8);
      }
      case SMI_FILTERED -> {
        withInterrupts();
        rig.write(Registers.SMI_FILTER.get(0), DEVICE + 1 | Registers.SMI_VALID.mask());
        rig.control(Control.SMIF_EN, 1).control(Control.SMIF_LOG_EN, 1);
        yield interrupt(reason, 2 << 8);
      }
      case DEVICE_TABLE_READ -> {
        rig.write(Registers.DEVICE_TABLE, Rig.BEYOND_MEMORY | 15);
        Rig.Record r = asks(reason, DEVICE, NONE, IOVA, READ, Rig.BEYOND_MEMORY + 32 * DEVICE);
        yield new Rig.Record(r.first() | MASTER_ABORT, r.second());
      }
      case PAGE_TABLE_READ -> {
        host();
        rig.store(
            tables.slot(IOVA, 2), Rig.BEYOND_MEMORY | Tables.HOST_RW | HostPte.NEXT_LEVEL.of(1));
        long at = Rig.BEYOND_MEMORY + 8 * (IOVA >>> 12 & 0x1ff);
        Rig.Record r = asks(reason, DEVICE, NONE, IOVA, READ, at);
        yield new Rig.Record(r.first() | MASTER_ABORT, r.second());
      }
      case GUEST_TABLE_READ -> {
        guest();
        rig.store(tables.guestSlot(GVA, 2), Rig.BEYOND_MEMORY | Tables.GUEST_RW);
        long at = Rig.BEYOND_MEMORY + 8 * (GVA >>> 12 & 0x1ff);
        Rig.Record r = asks(reason, DEVICE, PASID, GVA, READ, at);
        yield new Rig.Record(r.first() | MASTER_ABORT, r.second());
      }
      case INTERRUPT_TABLE_READ -> {
        withInterrupts();
        long q2 = rig.load(tables.entry + 16);
        rig.store(tables.entry + 16, q2 & ~DeviceTableEntry.INT_TAB_ROOT.mask());
        tables.or(tables.entry + 16, Rig.BEYOND_MEMORY);
        Rig.Record r = interrupt(reason, INDEX, Rig.BEYOND_MEMORY + 4 * INDEX);
        yield new Rig.Record(r.first() | MASTER_ABORT, r.second());
      }
      case ILLEGAL_COMMAND -> {
        long at = rig.commandSlot();
        rig.append(Rig.opcode(15), 0).kick();
        yield new Rig.Record(EventRecord.CODE.of(5), at);
      }
      case COMMAND_HARDWARE -> {
        rig.control(Control.CMD_BUF_EN, 0);
        rig.write(Registers.COMMAND_BUFFER, Rig.ring(Rig.BEYOND_MEMORY));
        rig.control(Control.CMD_BUF_EN, 1);
        rig.write(Registers.COMMAND_TAIL, 16);
        yield new Rig.Record(EventRecord.CODE.of(6) | MASTER_ABORT, Rig.BEYOND_MEMORY);
      }
      case IOTLB_TIMEOUT -> {
        rig.answers = false;
        rig.control(Control.INV_TIME_OUT, 1);
        long at = rig.commandSlot();
        rig.append(Rig.opcode(Command.INVALIDATE_IOTLB_PAGES) | DEVICE, 0)
            .append(Rig.completionWait(), 0)
            .kick();
        assertThat(rig.invalidations).hasSize(1);
        rig.unit.invalidationTimedOut(1 << rig.invalidations.getFirst().tag());
        yield new Rig.Record(EventRecord.CODE.of(7) | DEVICE, at);
      }
      case INTERRUPT_RANGE -> {
        host();
        yield reads(reason, MESSAGE);
      }
      case TRANSLATED_WITHOUT_IOTLB, TRANSLATION_NOT_ALLOWED -> {
        host().set(1, DeviceTableEntry.I, 0);
        yield translated(reason, IOVA);
      }
      case TRANSLATION_OF_SPECIAL_RANGE -> {
        host();
        yield translated(reason, MESSAGE);
      }
      case PORT_IO -> {
        host();
        yield reads(reason, 0xfd_fc00_0000L);
      }
      case SYSTEM_MANAGEMENT -> {
        host();
        yield asks(reason, NONE, 0xfd_f910_0000L, WRITE);
      }
      case SYSTEM_MANAGEMENT_READ -> {
        host();
        yield reads(reason, 0xfd_f910_0000L);
      }
      case INTERRUPT_ABORTED -> {
        withInterrupts().set(2, DeviceTableEntry.INT_CTL, 0);
        yield interrupt(reason, INDEX);
      }
      case INTERRUPT_RESERVED -> {
        host();
        yield asks(reason, NONE, 0xfd_0000_0000L, WRITE);
      }
      case RANGE_WITHOUT_TRANSLATION -> {
        host().set(0, DeviceTableEntry.TV, 0).set(1, DeviceTableEntry.SYS_MGT, 3);
        yield reads(reason, 0xfd_f910_0000L);
      }
      case ATS_RANGE -> {
        reservedForAnswers().host();
        yield asks(reason, NONE, 0xfd_fb00_0000L, WRITE);
      }
      case ATS_RANGE_READ -> {
        reservedForAnswers().host();
        yield reads(reason, 0xfd_fb00_0000L);
      }
      case PPR_NOT_ALLOWED -> {
        rig.startPpr();
        guest();
        yield pageRequest(reason);
      }
      case PPR_WITHOUT_GUEST -> {
        rig.startPpr();
        host().set(0, DeviceTableEntry.PPR);
        yield pageRequest(reason);
      }
      case COUNTER_ZERO -> {
        long block = 0x4_0000L;
        long note = 0x9_8765_4321_0fedL;
        rig.unit.write(block + 0x28, 8, 1L << 63 | note);
        rig.unit.write(block + 8, 8, 0x11);
        rig.unit.write(block, 8, (1L << 48) - 1);
        rig.submit(Rig.completionWait());
        assertThat(rig.unit.read(block, 8)).isZero();
        yield new Rig.Record(EventRecord.CODE.of(10), note >>> 32 | note << 32);
      }
      case GUEST_EVENT -> {
        GuestRig guest = virtual();
        rig.store(guest.trans.slot(GuestRig.EVENTS, 1), 0);
        assertThat(rig.reads(DEVICE, PASID, GVA + 4096)).isFalse();
        // First the page fault of the unit's own write.
        long head = rig.read(Registers.EVENT_HEAD);
        long first = rig.load(rig.events + head);
        assertThat(EventRecord.CODE.getInt(first)).isEqualTo(2);
        assertThat(EventRecord.DEVICE_ID.getInt(first)).isEqualTo(GuestRig.TRANS);
        assertThat(EventRecord.V_EVENT.isSet(first)).isTrue();
        rig.write(Registers.EVENT_HEAD, head + 16);
        yield new Rig.Record(
            EventRecord.CODE.of(11) | EventRecord.V_EVENT.mask() | (long) GuestRig.GUEST << 32, 0);
      }
      case VIRTUAL_IOMMU -> {
        GuestRig guest = virtual();
        guest.command(Rig.opcode(Command.INVALIDATE_DEVTAB_ENTRY) | 0x4321, 0);
        yield new Rig.Record(
            EventRecord.CODE.of(12) | EventRecord.V_CMD.mask() | GuestRig.GUEST,
            PrivateSpace.deviceEntry(GuestRig.GUEST, 0x4321) & -16L);
      }
      case RMP_PAGE_FAULT -> {
        RmpTable rmp = snp();
        host();
        rmp.assign(tables.data);
        yield asks(reason, NONE, IOVA, WRITE);
      }
      case RMP_LARGE_PAGE -> {
        RmpTable rmp = snp();
        host();
        long frame = rig.frames(512);
        rig.store(tables.slot(IOVA, 2), frame | Tables.HOST_RW);
        rmp.assign(frame + 4096);
        yield asks(reason, NONE, IOVA, WRITE);
      }
      case RMP_TABLE_WRITE -> {
        RmpTable rmp = snp();
        host().set(0, DeviceTableEntry.HAD, 1);
        rmp.assign(tables.root);
        yield reads(reason, IOVA);
      }
      case RMP_BACKING_PAGE -> {
        RmpTable rmp = snp();
        rig.control(Control.GA_EN, 1).control(Control.SNP_AVIC_EN, 1);
        withInterrupts();
        long page = rig.frame();
        rmp.assign(page);
        long first = Irte.REMAP_EN.of(1) | Irte.GUEST_MODE.of(1);
        rig.store(tables.interrupts + 16 * INDEX, first, page | 0x41);
        yield interrupt(reason, INDEX, page + 0x220);
      }
      case RMP_HARDWARE -> {
        snp();
        host();
        long at = RmpTable.entry(tables.data & -1L << 21);
        rig.memory.inject(at, 16, Failure.ACCESS);
        Rig.Record r = asks(reason, DEVICE, NONE, IOVA, WRITE, at);
        yield new Rig.Record(r.first() | MASTER_ABORT, r.second());
      }
    };
  }
}
