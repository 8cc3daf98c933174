package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.GuestRig.COMMANDS;
import static org.iommu4j.amdvi.model.GuestRig.GUEST;
import static org.iommu4j.amdvi.model.GuestRig.G_DEVICE;
import static org.iommu4j.amdvi.model.GuestRig.G_DOMAIN;
import static org.iommu4j.amdvi.model.GuestRig.STORE;
import static org.iommu4j.amdvi.model.GuestRig.TRANS;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.GVA;
import static org.iommu4j.amdvi.model.Tables.PASID;

import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.PrivateSpace;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.amdvi.layout.VirtualFunction;
import org.iommu4j.amdvi.layout.VirtualFunctionControl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest's own command buffer: its ids are replaced, its addresses translated. */
class GuestCommandTest {
  private static final long CMD = EventRecord.V_CMD.mask();

  private final GuestRig guest = new GuestRig("normal").start();
  private final Rig rig = guest.rig;

  @AfterEach
  void close() {
    rig.close();
  }

  private static long waitAndStore(long gpa) {
    return Rig.completionWait() | Command.S_STORE.mask() | gpa;
  }

  private static Rig.Record error(long first, long address) {
    return new Rig.Record(first, address);
  }

  @Test
  void a_completion_is_stored_at_a_guest_physical_address() {
    guest.command(waitAndStore(STORE + 8), 0x1234_5678_9abc_def0L);
    assertThat(guest.idle()).isTrue();
    assertThat(rig.load(guest.store + 8)).isEqualTo(0x1234_5678_9abc_def0L);
    assertThat(guest.status(Registers.COM_WAIT_INT)).isFalse();
    guest.command(Rig.completionWait() | Command.I.mask(), 0);
    assertThat(guest.status(Registers.COM_WAIT_INT)).isTrue();
    assertThat(rig.status(Registers.COM_WAIT_INT)).isFalse();
  }

  @Test
  void pages_are_invalidated_in_the_host_domain_that_the_table_names() {
    assertThat(rig.reads(DEVICE, PASID, GVA)).isTrue();
    rig.store(guest.device.guestSlot(GVA, 1), 0);
    assertThat(rig.reads(DEVICE, PASID, GVA)).as("cached").isTrue();
    long pages = Rig.opcode(Command.INVALIDATE_IOMMU_PAGES) | PASID;
    guest.command(pages | Command.DOMAIN_ID.of(G_DOMAIN), Command.GN.mask() | GVA);
    assertThat(guest.idle()).isTrue();
    assertThat(rig.reads(DEVICE, PASID, GVA)).isFalse();
  }

  @Test
  void an_entry_of_the_device_table_is_forgotten_by_the_guests_name() {
    assertThat(rig.reads(DEVICE, PASID, GVA)).isTrue();
    guest.device.set(0, DeviceTableEntry.TV, 0);
    assertThat(rig.reads(DEVICE, PASID, GVA)).as("cached").isTrue();
    guest.command(Rig.invalidateDevice(G_DEVICE), 0);
    assertThat(rig.reads(DEVICE, PASID, GVA)).isFalse();
  }

  @Test
  void invalidations_and_responses_reach_the_hosts_device() {
    guest.command(Rig.opcode(Command.INVALIDATE_IOTLB_PAGES) | G_DEVICE, GVA);
    guest.command(Rig.opcode(Command.COMPLETE_PPR_REQUEST) | G_DEVICE, Command.PPR_TAG.of(5));
    guest.command(Rig.invalidateInterrupts(G_DEVICE), 0);
    assertThat(guest.idle()).isTrue();
    assertThat(rig.invalidations).singleElement().matches(i -> i.source() == DEVICE);
    assertThat(rig.responses).singleElement().matches(r -> r.source() == DEVICE && r.group() == 5);
  }

  @Test
  void a_completion_waits_for_devices() {
    rig.answers = false;
    guest.command(Rig.opcode(Command.INVALIDATE_IOTLB_PAGES) | G_DEVICE, GVA);
    guest.command(waitAndStore(STORE), 1);
    assertThat(guest.idle()).isFalse();
    assertThat(rig.load(guest.store)).isZero();
    int tag = rig.invalidations.getFirst().tag();
    assertThat(rig.unit.invalidationCompleted(DEVICE, false, 1 << tag, 1)).isTrue();
    assertThat(rig.load(guest.store)).isEqualTo(1);
    assertThat(guest.idle()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        0,
        Command.PREFETCH_IOMMU_PAGES,
        Command.INVALIDATE_IOMMU_ALL,
        Command.INSERT_GUEST_EVENT,
        Command.RESET_VMMIO,
        15
      })
  void what_is_not_a_guests_business_is_illegal_and_told_to_the_guest(int opcode) {
    guest.command(Rig.completionWait(), 0);
    guest.command(Rig.opcode(opcode), 0);
    assertThat(guest.status(Registers.CMD_BUF_RUN)).isFalse();
    assertThat(guest.page(VirtualFunction.COMMAND_HEAD)).isEqualTo(16);
    assertThat(guest.events()).containsExactly(error(EventRecord.CODE.of(5), COMMANDS + 16));
    assertThat(rig.events()).isEmpty();
  }

  @Test
  void reserved_bits_are_illegal() {
    guest.command(Rig.completionWait() | 1L << 59, 0);
    assertThat(guest.events()).containsExactly(error(EventRecord.CODE.of(5), COMMANDS));
  }

  @Test
  void a_buffer_that_stopped_starts_when_it_is_turned_off_and_on() {
    guest.command(0, 0);
    assertThat(guest.status(Registers.CMD_BUF_RUN)).isFalse();
    guest.control(VirtualFunctionControl.COMMAND_CONTROL, VirtualFunctionControl.CMD_BUF_EN, 0);
    rig.store(guest.commands, waitAndStore(STORE), 9);
    guest.control(VirtualFunctionControl.COMMAND_CONTROL, VirtualFunctionControl.CMD_BUF_EN, 1);
    assertThat(guest.status(Registers.CMD_BUF_RUN)).isTrue();
    assertThat(guest.idle()).isTrue();
    assertThat(rig.load(guest.store)).isEqualTo(9);
  }

  @ParameterizedTest
  @ValueSource(ints = {52, 53})
  void nothing_is_executed_while_control_has_it_off(int bit) {
    long on = rig.control();
    rig.write(Control.REGISTER, on & ~(1L << bit));
    guest.command(waitAndStore(STORE), 3);
    assertThat(guest.idle()).isFalse();
    rig.write(Control.REGISTER, on);
    assertThat(guest.idle()).isTrue();
    assertThat(rig.load(guest.store)).isEqualTo(3);
  }

  /** Linux's driver fills the whole table beforehand, because of this. */
  @Test
  void an_id_that_is_not_mapped_stops_the_buffer_and_is_told_to_the_host() {
    guest.command(Rig.invalidatePages(G_DOMAIN + 1), 0);
    assertThat(guest.status(Registers.CMD_BUF_RUN)).isFalse();
    assertThat(rig.events())
        .containsExactly(
            error(
                EventRecord.CODE.of(12) | CMD | GUEST,
                PrivateSpace.domainEntry(GUEST, G_DOMAIN + 1)));
    assertThat(guest.events()).isEmpty();
  }

  @Test
  void a_table_that_is_not_there_is_told_to_the_host() {
    rig.store(guest.own.slot(PrivateSpace.deviceEntry(GUEST, G_DEVICE) & -4096L, 1), 0);
    rig.invalidateAll();
    guest.command(Rig.invalidateDevice(G_DEVICE), 0);
    assertThat(guest.status(Registers.CMD_BUF_RUN)).isFalse();
    assertThat(rig.events())
        .containsExactly(
            error(
                EventRecord.CODE.of(12) | CMD | GUEST, PrivateSpace.deviceEntry(GUEST, G_DEVICE)));
  }

  @Test
  void a_buffer_that_the_guests_tables_do_not_map_is_told_to_both() {
    rig.store(guest.trans.slot(COMMANDS, 1), 0);
    rig.invalidateAll();
    guest.command(Rig.completionWait(), 0);
    assertThat(guest.status(Registers.CMD_BUF_RUN)).isFalse();
    long fault =
        EventRecord.CODE.of(2)
            | CMD
            | TRANS
            | EventRecord.DOMAIN_OR_PASID.of(GuestRig.TRANS_DOMAIN);
    assertThat(rig.events()).containsExactly(error(fault, COMMANDS));
    assertThat(guest.events()).containsExactly(error(EventRecord.CODE.of(6), COMMANDS));
  }

  @Test
  void a_store_that_fails_stops_the_buffer_behind_it() {
    guest.command(waitAndStore(0x7700_0000L), 1);
    assertThat(guest.status(Registers.CMD_BUF_RUN)).isFalse();
    assertThat(guest.idle()).isTrue();
    assertThat(rig.codes()).containsExactly(2);
    assertThat(guest.events()).containsExactly(error(EventRecord.CODE.of(6), COMMANDS));
  }

  @Test
  void guests_do_not_reach_each_other() {
    GuestRig other = guest.another().start();
    assertThat(rig.reads(DEVICE, PASID, GVA)).isTrue();
    guest.device.set(0, DeviceTableEntry.TV, 0);
    other.command(Rig.invalidateDevice(G_DEVICE), 0);
    other.command(waitAndStore(STORE), 5);
    assertThat(other.idle()).isTrue();
    assertThat(rig.load(other.store)).isEqualTo(5);
    assertThat(rig.load(guest.store)).isZero();
    assertThat(rig.reads(DEVICE, PASID, GVA)).as("another device was forgotten").isTrue();
    other.command(0, 0);
    assertThat(other.events()).hasSize(1);
    assertThat(guest.events()).isEmpty();
    assertThat(guest.status(Registers.CMD_BUF_RUN)).isTrue();
  }

  @Test
  void without_the_mode_rings_are_in_the_private_address_space() {
    long ring = guest.privatePage(PrivateSpace.COMMANDS + ((long) GUEST << 19));
    long log = guest.privatePage(PrivateSpace.EVENT_LOG + ((long) GUEST << 19));
    rig.control(Control.GST_BUFFER_TRP_MODE, 0);
    rig.store(ring, waitAndStore(STORE), 4, 0, 0);
    guest.page(VirtualFunction.COMMAND_TAIL, 32);
    assertThat(rig.load(guest.store)).isEqualTo(4);
    assertThat(rig.load(log)).isEqualTo(EventRecord.CODE.of(5));
    assertThat(rig.load(guest.events)).isZero();
  }
}
