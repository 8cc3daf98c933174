package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.DOMAIN;
import static org.iommu4j.amdvi.model.Tables.IOVA;
import static org.iommu4j.amdvi.model.Tables.PASID;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.iommu4j.amdvi.layout.CapabilityBlock;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.DmaRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command buffer: what is fetched, carried out, refused, and when it stops. */
class CommandBufferTest {
  private static final long STORE = Command.S_STORE.mask();
  private static final long DATA = 0x1122_3344_5566_7788L;

  private Rig rig = Rig.standard().start();

  @AfterEach
  void close() {
    rig.close();
  }

  private void unit(Rig.Builder builder) {
    rig.close();
    rig = builder.build().start();
  }

  // ---- fetching

  @Test
  void nothing_happens_until_the_tail_is_written() {
    long at = rig.frame();
    rig.append(Rig.completionWait() | STORE | at, DATA);
    assertThat(rig.load(at)).isZero();
    assertThat(rig.read(Registers.COMMAND_HEAD)).isZero();
    rig.kick();
    assertThat(rig.load(at)).isEqualTo(DATA);
    assertThat(rig.idle()).isTrue();
  }

  @Test
  void the_buffer_is_a_ring() {
    long at = rig.frame();
    for (int i = 1; i <= 2 * Rig.RING + 3; i++) {
      rig.submit(Rig.completionWait() | STORE | at, i);
      assertThat(rig.load(at)).isEqualTo(i);
    }
    assertThat(rig.read(Registers.COMMAND_HEAD)).isEqualTo(3 * 16);
  }

  @Test
  void many_commands_are_carried_out_in_their_order() {
    long at = rig.frame();
    for (int i = 0; i < Rig.RING - 1; i++) {
      rig.append(Rig.completionWait() | STORE | at + 8L * i, i + 1);
    }
    rig.kick();
    assertThat(rig.idle()).isTrue();
    for (int i = 0; i < Rig.RING - 1; i++) {
      assertThat(rig.load(at + 8L * i)).isEqualTo(i + 1);
    }
  }

  @Test
  void nothing_is_fetched_while_the_buffer_is_off() {
    long at = rig.frame();
    rig.control(Control.CMD_BUF_EN, 0);
    assertThat(rig.status(Registers.CMD_BUF_RUN)).isFalse();
    rig.append(Rig.completionWait() | STORE | at, DATA).kick();
    assertThat(rig.load(at)).isZero();
    assertThat(rig.read(Registers.COMMAND_HEAD)).isZero();
    rig.control(Control.CMD_BUF_EN, 1);
    assertThat(rig.load(at)).isEqualTo(DATA);
    assertThat(rig.idle()).isTrue();
  }

  @Test
  void it_stops_with_the_unit() {
    rig.control(Control.IOMMU_EN, 0);
    assertThat(rig.status(Registers.CMD_BUF_RUN)).isFalse();
    rig.control(Control.IOMMU_EN, 1);
    assertThat(rig.status(Registers.CMD_BUF_RUN)).isTrue();
  }

  @Test
  void software_writes_the_head_only_while_the_buffer_is_off() {
    rig.submit(Rig.completionWait()).submit(Rig.completionWait());
    rig.write(Registers.COMMAND_HEAD, 0);
    assertThat(rig.read(Registers.COMMAND_HEAD)).isEqualTo(32);
    rig.control(Control.CMD_BUF_EN, 0);
    rig.write(Registers.COMMAND_HEAD, 16);
    assertThat(rig.read(Registers.COMMAND_HEAD)).isEqualTo(16);
  }

  @Test
  void a_new_base_resets_both_pointers() {
    rig.submit(Rig.completionWait());
    rig.control(Control.CMD_BUF_EN, 0);
    rig.write(Registers.COMMAND_BUFFER, Rig.ring(rig.frame()));
    assertThat(rig.read(Registers.COMMAND_HEAD)).isZero();
    assertThat(rig.read(Registers.COMMAND_TAIL)).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7})
  void it_does_not_run_with_a_reserved_length(int length) {
    try (Rig fresh = Rig.standard()) {
      fresh.write(
          Registers.COMMAND_BUFFER, Registers.RING_LEN.set(Rig.ring(fresh.frame()), length));
      fresh.write(
          Control.REGISTER,
          Control.COHERENT.of(1) | Control.IOMMU_EN.of(1) | Control.CMD_BUF_EN.of(1));
      // Kept or ignored: either way the buffer that software meant is not used.
      long kept = fresh.read(Registers.COMMAND_BUFFER, Registers.RING_LEN);
      assertThat(fresh.status(Registers.CMD_BUF_RUN) && kept == length).isFalse();
    }
  }

  // ---- refused

  /** What every command needs, without anything reserved. */
  private static long[] plain(int opcode) {
    boolean device = opcode != 1 && opcode != 3 && opcode != 8;
    return new long[] {Rig.opcode(opcode) | (device ? DEVICE : 0), 0};
  }

  static Stream<Arguments> reservedBits() {
    List<Arguments> all = new ArrayList<>();
    add(all, Command.COMPLETION_WAIT, 0, 52, 59);
    for (int opcode : new int[] {2, 5}) {
      add(all, opcode, 0, 16, 59);
      add(all, opcode, 1, 0, 63);
    }
    add(all, Command.INVALIDATE_IOMMU_PAGES, 0, 20, 31);
    add(all, Command.INVALIDATE_IOMMU_PAGES, 0, 48, 59);
    add(all, Command.INVALIDATE_IOMMU_PAGES, 1, 3, 11);
    add(all, Command.INVALIDATE_IOTLB_PAGES, 1, 1, 1);
    add(all, Command.INVALIDATE_IOTLB_PAGES, 1, 3, 3);
    add(all, Command.INVALIDATE_IOTLB_PAGES, 1, 6, 11);
    add(all, Command.PREFETCH_IOMMU_PAGES, 0, 16, 23);
    add(all, Command.PREFETCH_IOMMU_PAGES, 0, 52, 59);
    add(all, Command.PREFETCH_IOMMU_PAGES, 1, 1, 1);
    add(all, Command.PREFETCH_IOMMU_PAGES, 1, 3, 3);
    add(all, Command.PREFETCH_IOMMU_PAGES, 1, 5, 11);
    add(all, Command.COMPLETE_PPR_REQUEST, 0, 16, 31);
    add(all, Command.COMPLETE_PPR_REQUEST, 0, 52, 59);
    add(all, Command.COMPLETE_PPR_REQUEST, 1, 0, 1);
    add(all, Command.COMPLETE_PPR_REQUEST, 1, 3, 31);
    add(all, Command.COMPLETE_PPR_REQUEST, 1, 48, 63);
    add(all, Command.INVALIDATE_IOMMU_ALL, 0, 0, 59);
    add(all, Command.INVALIDATE_IOMMU_ALL, 1, 0, 63);
    return all.stream();
  }

  private static void add(List<Arguments> all, int opcode, int word, int first, int last) {
    IntStream.rangeClosed(first, last).forEach(bit -> all.add(Arguments.of(opcode, word, bit)));
  }

  @ParameterizedTest
  @MethodSource("reservedBits")
  void a_reserved_bit_makes_a_command_illegal(int opcode, int word, int bit) {
    long[] w = plain(opcode);
    rig.submit(w[0], w[1]);
    assertThat(rig.events()).isEmpty();
    w[word] |= 1L << bit;
    refuses(w[0], w[1]);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 11, 12, 13, 14, 15})
  void an_unknown_opcode_is_illegal(int opcode) {
    refuses(Rig.opcode(opcode), 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {9, 10})
  void commands_of_virtual_units_are_illegal_without_them(int opcode) {
    refuses(Rig.opcode(opcode), 0);
  }

  static Stream<Arguments> features() {
    return Stream.of(
        Arguments.of(Command.INVALIDATE_IOMMU_ALL, ExtendedFeatures.IA_SUP),
        Arguments.of(Command.PREFETCH_IOMMU_PAGES, ExtendedFeatures.PREF_SUP),
        Arguments.of(Command.COMPLETE_PPR_REQUEST, ExtendedFeatures.PPR_SUP));
  }

  @ParameterizedTest
  @MethodSource("features")
  void a_command_is_illegal_without_its_feature(int opcode, Field feature) {
    unit(Rig.with().efr(feature, 0));
    long[] w = plain(opcode);
    refuses(w[0], w[1]);
  }

  @Test
  void iotlb_invalidations_are_illegal_without_device_iotlbs() {
    unit(Rig.with().header(CapabilityBlock.IOTLB_SUP, 0));
    refuses(Rig.opcode(Command.INVALIDATE_IOTLB_PAGES) | DEVICE, 0);
  }

  private void refuses(long first, long second) {
    long at = rig.commandSlot();
    long head = rig.read(Registers.COMMAND_HEAD);
    rig.append(first, second).append(Rig.completionWait() | Command.I.of(1), 0).kick();
    assertThat(rig.events()).containsExactly(new Rig.Record(EventRecord.CODE.of(5), at));
    assertThat(rig.status(Registers.CMD_BUF_RUN)).isFalse();
    assertThat(rig.read(Registers.COMMAND_HEAD)).isEqualTo(head);
    assertThat(rig.status(Registers.COM_WAIT_INT)).isFalse();
  }

  @Test
  void software_repairs_the_slot_and_goes_on() {
    long at = rig.frame();
    long slot = rig.commandSlot();
    rig.append(Rig.opcode(15), 0).append(Rig.completionWait() | STORE | at, DATA).kick();
    assertThat(rig.status(Registers.CMD_BUF_RUN)).isFalse();
    // The tail alone does not make it run again.
    rig.kick();
    assertThat(rig.load(at)).isZero();
    assertThat(rig.codes()).containsExactly(5);
    rig.store(slot, Rig.completionWait(), 0);
    rig.control(Control.CMD_BUF_EN, 0).control(Control.CMD_BUF_EN, 1);
    assertThat(rig.status(Registers.CMD_BUF_RUN)).isTrue();
    assertThat(rig.load(at)).isEqualTo(DATA);
    assertThat(rig.events()).isEmpty();
  }

  // ---- completion wait

  @Test
  void completion_wait_stores_only_with_s() {
    long at = rig.frame();
    rig.submit(Rig.completionWait() | at, DATA);
    assertThat(rig.load(at)).isZero();
    rig.submit(Rig.completionWait() | STORE | Command.F.of(1) | at, DATA);
    assertThat(rig.load(at)).isEqualTo(DATA);
  }

  @Test
  void a_store_that_fails_is_a_hardware_error_and_halts() {
    rig.append(Rig.completionWait() | STORE | Rig.BEYOND_MEMORY, DATA).kick();
    assertThat(rig.codes()).containsExactly(6);
    assertThat(rig.status(Registers.CMD_BUF_RUN)).isFalse();
  }

  @Test
  void completion_wait_with_i_sets_the_status_whether_or_not_interrupts_are_on() {
    rig.submit(Rig.completionWait());
    assertThat(rig.status(Registers.COM_WAIT_INT)).isFalse();
    rig.submit(Rig.completionWait() | Command.I.of(1));
    assertThat(rig.status(Registers.COM_WAIT_INT)).isTrue();
    assertThat(rig.messages).isEmpty();
    rig.write(Registers.STATUS, Registers.COM_WAIT_INT.mask());
    assertThat(rig.status(Registers.COM_WAIT_INT)).isFalse();
  }

  // ---- device IOTLBs

  private static long iotlb(int pasid) {
    return Rig.opcode(Command.INVALIDATE_IOTLB_PAGES)
        | DEVICE
        | Command.PASID_15_8.of(pasid >>> 8)
        | Command.PASID_7_0.of(pasid)
        | Command.PASID_19_16.of(pasid >>> 16)
        | Command.QUEUE_ID.of(DEVICE)
        | Command.MAX_PEND.of(8);
  }

  @Test
  void a_page_is_invalidated_in_the_device() {
    rig.submit(iotlb(0), IOVA);
    AtsInvalidation sent = rig.invalidations.getFirst();
    assertThat(sent.source()).isEqualTo(DEVICE);
    assertThat(sent.pasid()).isEqualTo(DmaRequest.NO_PASID);
    assertThat(sent.payload()).isEqualTo(IOVA);
  }

  @Test
  void a_range_and_a_pasid_are_passed_on() {
    // 2 MiB around the address: ones up to bit 19.
    rig.submit(iotlb(PASID), 0x12_344f_f000L | Command.S.of(1) | Command.GN.of(1));
    AtsInvalidation sent = rig.invalidations.getFirst();
    assertThat(sent.pasid()).isEqualTo(PASID);
    assertThat(sent.payload()).isEqualTo(0x12_344f_f000L | 1 << 11);
  }

  @Test
  void completion_wait_waits_for_the_device_s_answer() {
    long at = rig.frame();
    rig.answers = false;
    rig.append(iotlb(0), IOVA).append(Rig.completionWait() | STORE | at, DATA).kick();
    assertThat(rig.load(at)).isZero();
    AtsInvalidation sent = rig.invalidations.getFirst();
    assertThat(rig.unit.invalidationCompleted(DEVICE, false, 1 << sent.tag(), 1)).isTrue();
    assertThat(rig.load(at)).isEqualTo(DATA);
    assertThat(rig.idle()).isTrue();
    assertThat(rig.events()).isEmpty();
  }

  @Test
  void an_answer_that_nobody_waits_for_is_ignored() {
    assertThat(rig.unit.invalidationCompleted(DEVICE, false, 1, 1)).isFalse();
    rig.answers = false;
    rig.append(iotlb(0), IOVA).kick();
    int tag = rig.invalidations.getFirst().tag();
    assertThat(rig.unit.invalidationCompleted(DEVICE + 1, false, 1 << tag, 1)).isFalse();
    assertThat(rig.unit.invalidationCompleted(DEVICE, false, 1 << tag, 1)).isTrue();
  }

  @Test
  void after_a_timeout_the_unit_goes_on_with_an_event() {
    long at = rig.frame();
    rig.answers = false;
    rig.control(Control.INV_TIME_OUT, 1);
    long command = rig.commandSlot();
    rig.append(iotlb(0), IOVA).append(Rig.completionWait() | STORE | at, DATA).kick();
    rig.unit.invalidationTimedOut(1 << rig.invalidations.getFirst().tag());
    assertThat(rig.load(at)).isEqualTo(DATA);
    assertThat(rig.status(Registers.CMD_BUF_RUN)).isTrue();
    assertThat(rig.events())
        .containsExactly(new Rig.Record(EventRecord.CODE.of(7) | DEVICE, command));
  }

  @Test
  void without_a_timeout_the_unit_waits_for_as_long_as_it_takes() {
    long at = rig.frame();
    rig.answers = false;
    rig.control(Control.INV_TIME_OUT, 0);
    rig.append(iotlb(0), IOVA).append(Rig.completionWait() | STORE | at, DATA).kick();
    int tag = 1 << rig.invalidations.getFirst().tag();
    rig.unit.invalidationTimedOut(tag);
    assertThat(rig.load(at)).isZero();
    assertThat(rig.events()).isEmpty();
    assertThat(rig.unit.invalidationCompleted(DEVICE, false, tag, 1)).isTrue();
    assertThat(rig.load(at)).isEqualTo(DATA);
  }

  @Test
  void more_invalidations_than_tags_wait_for_answers() {
    rig.answers = false;
    for (int i = 0; i < 40; i++) {
      rig.append(iotlb(0), IOVA + 4096L * i);
    }
    long at = rig.frame();
    rig.append(Rig.completionWait() | STORE | at, DATA).kick();
    int answered = 0;
    while (answered < rig.invalidations.size()) {
      AtsInvalidation sent = rig.invalidations.get(answered++);
      rig.unit.invalidationCompleted(DEVICE, false, 1 << sent.tag(), 1);
    }
    assertThat(answered).isEqualTo(40);
    assertThat(rig.load(at)).isEqualTo(DATA);
  }

  // ---- hints and responses

  @Test
  void a_prefetch_of_what_is_not_mapped_is_no_fault() {
    new Tables(rig).host();
    rig.submit(Rig.opcode(Command.PREFETCH_IOMMU_PAGES) | DEVICE, IOVA + 4096);
    rig.submit(Rig.opcode(Command.PREFETCH_IOMMU_PAGES) | DEVICE, IOVA);
    assertThat(rig.events()).isEmpty();
    assertThat(rig.reads(DEVICE, IOVA)).isTrue();
  }

  @Test
  void a_response_goes_to_the_device_with_its_pasid_and_group() {
    new Tables(rig).guest();
    rig.submit(
        Rig.opcode(Command.COMPLETE_PPR_REQUEST) | DEVICE | Command.PPR_PASID.of(PASID),
        Command.GN.of(1) | Command.PPR_TAG.of(0x155) | Command.PPR_CODE.of(0xf));
    assertThat(rig.responses).hasSize(1);
    assertThat(rig.responses.getFirst().source()).isEqualTo(DEVICE);
    assertThat(rig.responses.getFirst().group()).isEqualTo(0x155);
    assertThat(rig.responses.getFirst().code()).isEqualTo(15);
  }

  @Test
  void invalidations_of_unknown_things_have_no_effect() {
    rig.submit(Rig.invalidateDevice(0xffff))
        .submit(Rig.invalidateInterrupts(0xffff))
        .submit(Rig.invalidatePages(DOMAIN), Command.ALL_PAGES | 3);
    assertThat(rig.events()).isEmpty();
  }
}
