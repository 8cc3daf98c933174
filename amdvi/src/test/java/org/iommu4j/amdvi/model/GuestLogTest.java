package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.GuestRig.EVENTS;
import static org.iommu4j.amdvi.model.GuestRig.EVENTS_B;
import static org.iommu4j.amdvi.model.GuestRig.GUEST;
import static org.iommu4j.amdvi.model.GuestRig.G_DEVICE;
import static org.iommu4j.amdvi.model.GuestRig.TRANS;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.GPA;
import static org.iommu4j.amdvi.model.Tables.GVA;
import static org.iommu4j.amdvi.model.Tables.IOVA;
import static org.iommu4j.amdvi.model.Tables.PASID;

import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.Irte;
import org.iommu4j.amdvi.layout.PprRecord;
import org.iommu4j.amdvi.layout.PrivateSpace;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.amdvi.layout.VirtualFunction;
import org.iommu4j.amdvi.layout.VirtualFunctionControl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a guest's IOMMU tells the guest: events, page requests, and interrupts. */
class GuestLogTest {
  private static final long ABSENT = GVA + 4096;

  private final GuestRig guest = new GuestRig("off").start();
  private final Rig rig = guest.rig;

  @AfterEach
  void close() {
    rig.close();
  }

  /** A page fault in the guest's tables, as the guest sees it. */
  private static Rig.Record fault() {
    return new Rig.Record(
        EventRecord.CODE.of(2)
            | G_DEVICE
            | EventRecord.GN.mask()
            | EventRecord.DOMAIN_OR_PASID.of(PASID)
            | EventRecord.PASID_19_16.of(PASID >>> 16),
        ABSENT);
  }

  private boolean faults() {
    return !rig.reads(DEVICE, PASID, ABSENT);
  }

  /** From programming to the record: what a guest with a device of its own lives through. */
  @Test
  void a_guest_that_unmaps_a_page_reads_of_its_devices_fault_in_its_own_log() {
    assertThat(rig.reads(DEVICE, PASID, GVA)).isTrue();
    assertThat(rig.translation.pa()).isEqualTo(guest.device.data);
    rig.store(guest.device.guestSlot(GVA, 1), 0);
    guest.command(
        Rig.opcode(Command.INVALIDATE_IOMMU_PAGES)
            | PASID
            | Command.DOMAIN_ID.of(GuestRig.G_DOMAIN),
        Command.GN.mask() | GVA);
    guest.command(Rig.completionWait() | Command.S_STORE.mask() | GuestRig.STORE, 1);
    assertThat(rig.load(guest.store)).isEqualTo(1);
    assertThat(rig.reads(DEVICE, PASID, GVA)).isFalse();
    assertThat(guest.events()).containsExactly(new Rig.Record(fault().first(), GVA));
    assertThat(guest.status(Registers.EVENT_LOG_INT)).isTrue();
    assertThat(rig.events()).isEmpty();
    assertThat(rig.status(Registers.EVENT_LOG_INT)).isFalse();
  }

  @Test
  void what_the_hosts_tables_refuse_is_told_to_the_host() {
    rig.store(guest.device.slot(GPA, 1), 0);
    assertThat(rig.reads(DEVICE, PASID, GVA)).isFalse();
    assertThat(rig.codes()).containsExactly(2);
    guest.device.set(0, DeviceTableEntry.MODE, 7);
    assertThat(rig.reads(DEVICE, PASID, GVA)).isFalse();
    assertThat(rig.codes()).containsExactly(1);
    assertThat(guest.events()).isEmpty();
  }

  @Test
  void a_device_that_is_no_guests_is_told_to_the_host() {
    guest.device.set(3, DeviceTableEntry.VIMU_EN, 0);
    assertThat(faults()).isTrue();
    assertThat(rig.events()).containsExactly(ofHost());
  }

  @Test
  void without_virtual_iommus_all_is_told_to_the_host() {
    rig.control(Control.VIOMMU_EN, 0);
    assertThat(faults()).isTrue();
    assertThat(rig.events()).containsExactly(ofHost());
    assertThat(guest.events()).isEmpty();
  }

  private static Rig.Record ofHost() {
    return new Rig.Record(EventRecord.DEVICE_ID.set(fault().first(), DEVICE), ABSENT);
  }

  @Test
  void nobody_is_told_while_the_guests_log_is_off() {
    guest.control(VirtualFunctionControl.EVENT_CONTROL, VirtualFunctionControl.EVENT_LOG_EN, 0);
    assertThat(faults()).isTrue();
    assertThat(guest.page(VirtualFunction.EVENT_TAIL)).isZero();
    assertThat(rig.events()).isEmpty();
  }

  @Test
  void an_event_without_a_place_waits_until_the_host_has_it_inserted() {
    long pte = rig.load(guest.trans.slot(EVENTS, 1));
    rig.store(guest.trans.slot(EVENTS, 1), 0);
    assertThat(faults()).isTrue();
    long event = EventRecord.V_EVENT.mask();
    Rig.Record unwritten =
        new Rig.Record(
            EventRecord.CODE.of(2)
                | EventRecord.RW.mask()
                | event
                | TRANS
                | EventRecord.DOMAIN_OR_PASID.of(GuestRig.TRANS_DOMAIN),
            EVENTS);
    Rig.Record told =
        new Rig.Record(EventRecord.CODE.of(11) | event | EventRecord.DOMAIN_OR_PASID.of(GUEST), 0);
    assertThat(rig.events()).containsExactly(unwritten, told);
    assertThat(faults()).as("one waits, the next is lost").isTrue();
    assertThat(guest.status(Registers.EVENT_OVERFLOW)).isTrue();
    long insert = Rig.opcode(Command.INSERT_GUEST_EVENT) | Command.GUEST_ID.of(GUEST);
    rig.submit(insert);
    assertThat(rig.events()).as("still without a place").containsExactly(unwritten, told);
    rig.store(guest.trans.slot(EVENTS, 1), pte);
    rig.submit(insert);
    assertThat(guest.events()).containsExactly(fault());
    rig.submit(insert);
    assertThat(guest.events()).as("inserted once").isEmpty();
    assertThat(faults()).isTrue();
    assertThat(guest.events()).containsExactly(fault());
    assertThat(rig.events()).isEmpty();
  }

  @Test
  void a_full_log_stops() {
    for (int i = 0; i < Rig.RING; i++) {
      assertThat(faults()).isTrue();
    }
    assertThat(guest.status(Registers.EVENT_OVERFLOW)).isTrue();
    assertThat(guest.status(Registers.EVENT_LOG_RUN)).isFalse();
    assertThat(guest.page(VirtualFunction.EVENT_TAIL)).isEqualTo(16 * 255);
  }

  @Test
  void the_second_log_goes_on_when_the_first_is_full() {
    guest.control(VirtualFunctionControl.EVENT_CONTROL, VirtualFunctionControl.EVENT_LOG_EN, 0);
    guest.control(VirtualFunctionControl.EVENT_B_CONTROL, EVENTS_B);
    guest.control(
        VirtualFunctionControl.EVENT_CONTROL,
        GuestRig.ring(EVENTS)
            | VirtualFunctionControl.LEN_B.of(8)
            | VirtualFunctionControl.DUAL_EVENT_LOG_EN.of(2)
            | VirtualFunctionControl.EVENT_LOG_EN.mask());
    for (int i = 0; i < Rig.RING; i++) {
      assertThat(faults()).isTrue();
    }
    assertThat(guest.status(Registers.EVENT_LOG_ACTIVE)).isTrue();
    assertThat(guest.page(VirtualFunction.EVENT_B_TAIL)).isEqualTo(16);
    assertThat(rig.load(guest.eventsB)).isEqualTo(fault().first());
  }

  // ---- page requests

  private static final long REQUEST = IOVA | 0x55 << 3 | 4 | 1;

  @Test
  void a_page_request_is_logged_under_the_guests_name() {
    guest.startPpr();
    rig.pageRequest(DEVICE, PASID, REQUEST);
    assertThat(guest.log(guest.pprLog, VirtualFunction.PPR_HEAD, VirtualFunction.PPR_TAIL))
        .containsExactly(
            new Rig.Record(
                PprRecord.CODE.of(1)
                    | G_DEVICE
                    | PprRecord.PASID_15_0.of(PASID)
                    | PprRecord.PASID_19_16.of(PASID >>> 16)
                    | PprRecord.GN.mask()
                    | PprRecord.TAG.of(0x255)
                    | PprRecord.R.mask()
                    | PprRecord.US.mask(),
                IOVA));
    assertThat(guest.status(Registers.PPR_INT)).isTrue();
    assertThat(rig.pageRequests()).isEmpty();
    assertThat(rig.responses).isEmpty();
  }

  @Test
  void page_requests_that_the_guest_has_not_enabled_are_refused_and_told_to_it() {
    guest.startPpr();
    guest.control(VirtualFunctionControl.PPR_CONTROL, VirtualFunctionControl.PPR_EN, 0);
    rig.pageRequest(DEVICE, PASID, REQUEST);
    assertThat(rig.responses).singleElement().matches(r -> r.code() == 1 && r.source() == DEVICE);
    assertThat(guest.events())
        .singleElement()
        .matches(r -> r.code() == 9 && EventRecord.DEVICE_ID.get(r.first()) == G_DEVICE);
    assertThat(rig.events()).isEmpty();
  }

  @Test
  void the_unit_answers_for_a_guest_whose_log_does_not_run() {
    guest.startPpr();
    guest.page(VirtualFunction.PPR_AUTO_RESPONSE, 0xf);
    guest.control(VirtualFunctionControl.PPR_CONTROL, VirtualFunctionControl.PPR_LOG_EN, 0);
    rig.pageRequest(DEVICE, PASID, REQUEST);
    assertThat(rig.responses).isEmpty();
    guest.control(VirtualFunctionControl.PPR_CONTROL, VirtualFunctionControl.PPR_AUTO_RSP_EN, 1);
    rig.pageRequest(DEVICE, PASID, REQUEST);
    assertThat(rig.responses).singleElement().matches(r -> r.code() == 0xf);
  }

  // ---- interrupts

  /** The two-level table of the unit's own device table entry, and the entry in it. */
  private long interruptEntry(int type) {
    long first = rig.frames(2);
    long second = rig.frame();
    rig.store(
        guest.own.entry + 16,
        first
            | DeviceTableEntry.IV.mask()
            | DeviceTableEntry.INT_TAB_LEN.of(10)
            | DeviceTableEntry.INT_CTL.of(DeviceTableEntry.INT_REMAP));
    int index = type << 16 | GUEST;
    rig.store(first + 8 * (index >>> 8), second | PrivateSpace.SECOND_VALID.mask() | 9 << 2);
    return second + 16 * (index & 0xff);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_guests_interrupt_goes_by_the_extended_table(boolean enabled) {
    long at = interruptEntry(PrivateSpace.INTERRUPT_EVENT);
    rig.control(Control.GA_EN, 1);
    rig.store(at, Irte.REMAP_EN.mask() | Irte.SHORT_DESTINATION.of(3), Irte.VECTOR.of(0x41));
    guest.control(
        VirtualFunctionControl.EVENT_CONTROL, VirtualFunctionControl.EVENT_INT_EN, enabled ? 1 : 0);
    assertThat(faults()).isTrue();
    if (enabled) {
      assertThat(rig.messages).singleElement().matches(m -> (m.data() & 0xff) == 0x41);
      assertThat(faults()).isTrue();
      assertThat(rig.messages).as("the status bit is still set").hasSize(1);
      guest.page(VirtualFunction.STATUS, Registers.EVENT_LOG_INT.mask());
      assertThat(faults()).isTrue();
      assertThat(rig.messages).hasSize(2);
    } else {
      assertThat(rig.messages).isEmpty();
      guest.control(VirtualFunctionControl.EVENT_CONTROL, VirtualFunctionControl.EVENT_INT_EN, 1);
      assertThat(rig.messages).as("what waited").hasSize(1);
    }
  }

  @Test
  void in_guest_mode_it_is_recorded_in_the_guests_backing_page() {
    guest.startPpr();
    rig.startGuestApic();
    long page = rig.frame();
    long at = interruptEntry(PrivateSpace.INTERRUPT_PPR);
    rig.store(
        at,
        Irte.REMAP_EN.mask() | Irte.GUEST_MODE.mask() | Irte.IS_RUN.mask(),
        Irte.VECTOR.of(0x41) | page);
    guest.control(VirtualFunctionControl.PPR_CONTROL, VirtualFunctionControl.PPR_INT_EN, 1);
    rig.pageRequest(DEVICE, PASID, REQUEST);
    assertThat(rig.load(page + 0x200 + 2 * 16)).isEqualTo(1 << 1);
    assertThat(rig.messages).as("the doorbell").hasSize(1);
  }

  @Test
  void a_table_that_cannot_be_read_is_told_to_the_host() {
    interruptEntry(PrivateSpace.INTERRUPT_EVENT);
    guest.own.set(2, DeviceTableEntry.INT_TAB_ROOT, Rig.BEYOND_MEMORY >>> 6);
    guest.control(VirtualFunctionControl.EVENT_CONTROL, VirtualFunctionControl.EVENT_INT_EN, 1);
    assertThat(faults()).isTrue();
    assertThat(rig.events())
        .containsExactly(
            new Rig.Record(EventRecord.CODE.of(12) | GUEST, Rig.BEYOND_MEMORY + 8 * (GUEST >>> 8)));
  }
}
