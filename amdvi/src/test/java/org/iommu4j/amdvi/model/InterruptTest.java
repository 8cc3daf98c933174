package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;

import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.GaLogRecord;
import org.iommu4j.amdvi.layout.Irte;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Interrupt messages of devices: what passes, what is remapped, and to where. */
class InterruptTest {
  private static final long MESSAGE = 0xfee0_2000L;
  private static final long LOGICAL = 4;
  private static final int INDEX = 3;

  private Rig rig = Rig.standard().start();
  private Tables tables = new Tables(rig);

  @AfterEach
  void close() {
    rig.close();
  }

  private void shortEntry(long entry) {
    rig.store(tables.interrupts + 4 * (INDEX & ~1), entry << 32);
  }

  private void delivers(long address, int data, long toAddress, int toData) {
    rig.messages.clear();
    assertThat(rig.remap(DEVICE, address, data)).isTrue();
    assertThat(rig.messages).containsExactly(new Rig.Message(toAddress, toData));
    assertThat(rig.delivery.kind()).isEqualTo(InterruptDelivery.Kind.WRITTEN);
    assertThat(rig.delivery.address()).isEqualTo(toAddress);
    assertThat(rig.delivery.data()).isEqualTo(toData);
    assertThat(rig.events()).isEmpty();
  }

  private void refuses(long address, int data, Reason reason) {
    rig.messages.clear();
    assertThat(rig.remap(DEVICE, address, data)).isFalse();
    assertThat(rig.delivery.reason()).isEqualTo(reason);
    assertThat(rig.messages).isEmpty();
    assertThat(rig.codes()).containsExactly(reason.code());
  }

  @Test
  void while_the_unit_is_off_messages_pass() {
    tables.interrupts(3);
    rig.control(Control.IOMMU_EN, 0);
    rig.messages.clear();
    assertThat(rig.remap(DEVICE, MESSAGE, 0x41)).isTrue();
    assertThat(rig.messages).containsExactly(new Rig.Message(MESSAGE, 0x41));
  }

  @Test
  void without_iv_messages_pass() {
    delivers(MESSAGE, 0x41, MESSAGE, 0x41);
    tables.host();
    rig.submit(Rig.invalidateDevice(DEVICE));
    delivers(MESSAGE, 0x441, MESSAGE, 0x441);
  }

  @Test
  void iv_counts_even_where_v_does_not() {
    tables.interrupts(3);
    assertThat(DeviceTableEntry.V.isSet(rig.load(tables.entry))).isFalse();
    shortEntry(Irte.REMAP_EN.of(1) | Irte.SHORT_VECTOR.of(0x99));
    delivers(MESSAGE, INDEX, 0xfee0_0000L, 0x4099);
  }

  @ParameterizedTest
  @CsvSource({
    // IntType, RqEoi, DM, destination, vector, requested data, address, data
    "0, 0, 0, 0x05, 0x41, 0x0003, 0xfee05000, 0x4041",
    "1, 0, 0, 0x05, 0x41, 0x0003, 0xfee05000, 0x4141",
    "0, 0, 1, 0xff, 0xfe, 0x0003, 0xfeeff004, 0x40fe",
    "0, 1, 0, 0x05, 0x41, 0x0003, 0xfee05000, 0xc041",
    "0, 0, 0, 0x05, 0x41, 0xc003, 0xfee05000, 0xc041"
  })
  void a_short_entry_says_what_is_delivered(
      int type, int eoi, int dm, String to, String vector, String data, String at, String out) {
    tables.interrupts(3);
    shortEntry(
        Irte.REMAP_EN.of(1)
            | Irte.INT_TYPE.of(type)
            | Irte.RQ_EOI.of(eoi)
            | Irte.DM.of(dm)
            | Irte.SHORT_DESTINATION.of(Long.decode(to))
            | Irte.SHORT_VECTOR.of(Long.decode(vector)));
    delivers(MESSAGE, Integer.decode(data), Long.decode(at), Integer.decode(out));
  }

  @Test
  void destinations_are_physical_where_the_unit_forces_them_to_be() {
    rig.close();
    rig = Rig.with().efr(ExtendedFeatures.FORCE_PHY_DEST_SUP, 1).build().start();
    tables = new Tables(rig);
    tables.interrupts(3);
    shortEntry(
        Irte.REMAP_EN.of(1)
            | Irte.DM.of(1)
            | Irte.SHORT_DESTINATION.of(5)
            | Irte.SHORT_VECTOR.of(0x41));
    delivers(MESSAGE, INDEX, 0xfee0_5000L, 0x4041);
  }

  @Test
  void what_changes_while_entries_are_not_cached_needs_no_command() {
    tables.interrupts(3);
    shortEntry(Irte.REMAP_EN.of(1) | Irte.SHORT_VECTOR.of(0x41));
    delivers(MESSAGE, INDEX, 0xfee0_0000L, 0x4041);
    rig.control(Control.IRT_CACHE_DIS, 1);
    shortEntry(Irte.REMAP_EN.of(1) | Irte.SHORT_VECTOR.of(0x42));
    delivers(MESSAGE, INDEX, 0xfee0_0000L, 0x4042);
    rig.control(Control.IRT_CACHE_DIS, 0);
    delivers(MESSAGE, INDEX, 0xfee0_0000L, 0x4042);
  }

  @Test
  void native_interrupts_pass_where_the_interrupt_map_is_not_valid() {
    tables.host().interrupts(3);
    assertThat(rig.writes(DEVICE, 0xfd_f800_0000L)).isFalse();
    assertThat(rig.codes()).containsExactly(8);
    tables.set(2, DeviceTableEntry.IV, 0);
    rig.submit(Rig.invalidateDevice(DEVICE));
    assertThat(rig.writes(DEVICE, 0xfd_f800_0000L)).isTrue();
    assertThat(rig.translation.pa()).isEqualTo(0xfd_f800_0000L);
  }

  private void longEntry(long first, long second) {
    rig.store(tables.interrupts + 16 * INDEX, first, second);
  }

  @Test
  void a_long_entry_has_eight_bits_of_destination_without_xt() {
    rig.control(Control.GA_EN, 1);
    tables.interrupts(3);
    longEntry(
        Irte.REMAP_EN.of(1) | Irte.DESTINATION_LOW.of(0x34_5678),
        Irte.VECTOR.of(0x55) | Irte.DESTINATION_HIGH.of(0x12));
    delivers(MESSAGE, INDEX, 0xfee7_8000L, 0x4055);
  }

  @Test
  void a_long_entry_has_thirty_two_with_xt() {
    rig.control(Control.GA_EN, 1).control(Control.XT_EN, 1);
    tables.interrupts(3);
    longEntry(
        Irte.REMAP_EN.of(1) | Irte.DESTINATION_LOW.of(0x34_5678) | Irte.DM.of(1),
        Irte.VECTOR.of(0x55) | Irte.DESTINATION_HIGH.of(0x12));
    delivers(MESSAGE, INDEX, 0xfee7_8004L | 0x12_3456L << 40, 0x4055);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 9, 11})
  void a_table_ends_with_its_length(int length) {
    rig.control(Control.NUM_INT_REMAP_MODE, 1);
    tables.interrupts(length);
    int last = (1 << length) - 1;
    long at = tables.interrupts + 4L * last;
    rig.store(at & ~7L, (Irte.REMAP_EN.of(1) | Irte.SHORT_VECTOR.of(0x42)) << 8 * (at & 4));
    delivers(MESSAGE | LOGICAL, last, 0xfee0_0000L, 0x4042);
    if (length < 11) {
      refuses(MESSAGE | LOGICAL, last + 1, Reason.INTERRUPT_INDEX);
    }
  }

  @ParameterizedTest
  @CsvSource({"4, NMI_PASS", "5, INIT_PASS", "7, EINT_PASS"})
  void nmi_init_and_extint_pass_with_their_bit_to_physical_destinations(int type, String bit) {
    tables.interrupts(3);
    refuses(MESSAGE, type << 8, Reason.INTERRUPT_TYPE);
    tables.set(
        2,
        switch (bit) {
          case "NMI_PASS" -> DeviceTableEntry.NMI_PASS;
          case "INIT_PASS" -> DeviceTableEntry.INIT_PASS;
          default -> DeviceTableEntry.EINT_PASS;
        });
    rig.submit(Rig.invalidateDevice(DEVICE));
    delivers(MESSAGE, type << 8, MESSAGE, type << 8);
    refuses(MESSAGE | LOGICAL, type << 8, Reason.INTERRUPT_TYPE);
  }

  @Test
  void int_ctl_1_lets_fixed_and_arbitrated_ones_pass() {
    tables.interrupts(3).set(2, DeviceTableEntry.INT_CTL, DeviceTableEntry.INT_FORWARD);
    delivers(MESSAGE, 0x41, MESSAGE, 0x41);
    delivers(MESSAGE, 0x141, MESSAGE, 0x141);
  }

  @Test
  void an_smi_passes_unless_it_is_filtered() {
    tables.interrupts(3);
    delivers(MESSAGE, 0x200, MESSAGE, 0x200);
    rig.write(Registers.SMI_FILTER.get(0), Registers.SMI_VALID.of(1) | DEVICE);
    rig.control(Control.SMIF_EN, 1);
    delivers(MESSAGE, 0x200, MESSAGE, 0x200);
    rig.write(Registers.SMI_FILTER.get(0), Registers.SMI_VALID.of(1) | (DEVICE + 1));
    assertThat(rig.remap(DEVICE, MESSAGE, 0x200)).isFalse();
    assertThat(rig.delivery.reason()).isEqualTo(Reason.SMI_FILTERED);
  }

  @Test
  void guest_mode_needs_leave() {
    rig.control(Control.GA_EN, 1);
    tables.interrupts(3);
    longEntry(Irte.REMAP_EN.of(1) | Irte.GUEST_MODE.of(1), rig.frame() | 0x41);
    refuses(MESSAGE, INDEX, Reason.INTERRUPT_ENTRY);
    rig.control(Control.GAM_EN, 1);
    assertThat(rig.remap(DEVICE, MESSAGE, INDEX)).isTrue();
  }

  // ---- guest virtual APIC

  private long guestEntry(int vector, long flags) {
    long page = rig.frame();
    longEntry(
        Irte.REMAP_EN.of(1) | Irte.GUEST_MODE.of(1) | Irte.GA_TAG.of(0xdead_beefL) | flags,
        page | vector);
    return page;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 31, 32, 0x41, 0xff})
  void a_guest_s_interrupt_is_posted_in_its_page(int vector) {
    rig.startGuestApic();
    tables.interrupts(3);
    long page = guestEntry(vector, 0);
    assertThat(rig.remap(DEVICE, MESSAGE, INDEX)).isTrue();
    assertThat(rig.delivery.kind()).isEqualTo(InterruptDelivery.Kind.RECORDED);
    assertThat(rig.load(page + 0x200 + 16 * (vector / 32))).isEqualTo(1L << vector % 32);
    // It does not run and does not want to be logged.
    assertThat(rig.messages).isEmpty();
    assertThat(rig.read(Registers.GA_TAIL)).isZero();
  }

  @Test
  void a_guest_that_does_not_run_is_logged() {
    rig.startGuestApic();
    long pointer = rig.frame();
    rig.write(Registers.GA_LOG_TAIL_ADDRESS, pointer);
    tables.interrupts(3);
    guestEntry(0x41, Irte.GA_LOG_INTR.of(1));
    assertThat(rig.remap(DEVICE, MESSAGE, INDEX)).isTrue();
    assertThat(rig.messages).isEmpty();
    assertThat(rig.load(rig.gaLog))
        .isEqualTo(
            GaLogRecord.GA_TAG.of(0xdead_beefL)
                | GaLogRecord.DEVICE_ID.of(DEVICE)
                | GaLogRecord.CODE.of(1));
    assertThat(rig.read(Registers.GA_TAIL)).isEqualTo(8);
    assertThat(rig.load(pointer)).isEqualTo(8);
    assertThat(rig.status(Registers.GA_INT)).isTrue();
  }

  @Test
  void a_guest_that_runs_gets_a_doorbell() {
    rig.startGuestApic();
    tables.interrupts(3);
    guestEntry(0x41, Irte.GA_LOG_INTR.of(1) | Irte.IS_RUN.of(1) | Irte.DESTINATION_LOW.of(6));
    assertThat(rig.remap(DEVICE, MESSAGE, INDEX)).isTrue();
    assertThat(rig.delivery.notice()).isEqualTo(0xfee0_6000L);
    assertThat(rig.messages).isEmpty();
    assertThat(rig.read(Registers.GA_TAIL)).isZero();
  }

  @Test
  void a_full_guest_log_overflows_and_stops_until_it_is_restarted() {
    rig.startGuestApic();
    tables.interrupts(3);
    guestEntry(0x41, Irte.GA_LOG_INTR.of(1));
    // 4 KiB of entries of 8 bytes, one of which stays empty.
    for (int i = 0; i < 511; i++) {
      assertThat(rig.remap(DEVICE, MESSAGE, INDEX)).isTrue();
    }
    assertThat(rig.status(Registers.GA_LOG_OVERFLOW)).isFalse();
    rig.remap(DEVICE, MESSAGE, INDEX);
    assertThat(rig.status(Registers.GA_LOG_OVERFLOW)).isTrue();
    assertThat(rig.status(Registers.GA_LOG_RUN)).isFalse();
    assertThat(rig.read(Registers.GA_TAIL)).isEqualTo(8 * 511);
    rig.control(Control.GA_LOG_EN, 0);
    rig.write(Registers.STATUS, Registers.GA_LOG_OVERFLOW.mask());
    rig.write(Registers.GA_HEAD, 8 * 511);
    rig.control(Control.GA_LOG_EN, 1);
    assertThat(rig.status(Registers.GA_LOG_RUN)).isTrue();
    rig.remap(DEVICE, MESSAGE, INDEX);
    assertThat(rig.read(Registers.GA_TAIL)).isZero();
  }

  @Test
  void the_guest_log_is_no_longer_than_its_pointers_reach() {
    gaLog(15);
    tables.interrupts(3);
    guestEntry(0x41, Irte.GA_LOG_INTR.of(1));
    rig.control(Control.GA_LOG_EN, 0);
    rig.write(Registers.GA_TAIL, 0xfff8);
    rig.write(Registers.GA_HEAD, 0xfff8);
    rig.control(Control.GA_LOG_EN, 1);
    assertThat(rig.remap(DEVICE, MESSAGE, INDEX)).isTrue();
    assertThat(rig.read(Registers.GA_TAIL)).isZero();
    assertThat(rig.status(Registers.GA_LOG_OVERFLOW)).isFalse();
  }

  private void gaLog(int length) {
    rig.write(Registers.GA_LOG, Registers.RING_LEN.set(rig.frames(16), length));
    rig.control(Control.GA_EN, 1).control(Control.GAM_EN, 1).control(Control.GA_LOG_EN, 1);
  }

  // ---- as writes

  @Test
  void a_write_to_the_interrupt_range_is_a_message() {
    tables.host().interrupts(3);
    shortEntry(Irte.REMAP_EN.of(1) | Irte.SHORT_VECTOR.of(0x99));
    DmaRequest request = rig.request(DEVICE, MESSAGE, Access.WRITE);
    assertThat(rig.translate(request)).isTrue();
    assertThat(rig.translation.target()).isEqualTo(Translation.MESSAGE);
    assertThat(rig.unit.writeMessage(request, rig.translation, INDEX, 4))
        .isEqualTo(PhysicalMemory.OK);
    assertThat(rig.messages).containsExactly(new Rig.Message(0xfee0_0000L, 0x4099));
  }

  @Test
  void a_write_that_is_no_message_is_an_invalid_request() {
    tables.host().interrupts(3);
    DmaRequest request = rig.request(DEVICE, MESSAGE, Access.WRITE);
    assertThat(rig.translate(request)).isTrue();
    assertThat(rig.unit.writeMessage(request, rig.translation, INDEX, 8))
        .isNotEqualTo(PhysicalMemory.OK);
    assertThat(rig.messages).isEmpty();
    assertThat(rig.codes()).containsExactly(8);
  }

  @Test
  void without_its_feature_guest_mode_does_not_exist() {
    rig.close();
    rig = Rig.with().efr(ExtendedFeatures.GAM_SUP, 0).build().start();
    tables = new Tables(rig);
    rig.control(Control.GA_EN, 1).control(Control.GAM_EN, 1);
    assertThat(rig.read(Control.REGISTER, Control.GAM_EN)).isZero();
    tables.interrupts(3);
    longEntry(Irte.REMAP_EN.of(1) | Irte.GUEST_MODE.of(1), rig.frame() | 0x41);
    refuses(MESSAGE, INDEX, Reason.INTERRUPT_ENTRY);
  }
}
