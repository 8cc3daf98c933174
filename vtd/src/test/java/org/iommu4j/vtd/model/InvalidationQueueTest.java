package org.iommu4j.vtd.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.Descriptor;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Registers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The invalidation queue: its order, its errors and how software gets out of them. */
class InvalidationQueueTest {
  private static final int SID = 0x0310;

  private Rig rig = Rig.standard();

  @AfterEach
  void close() {
    rig.close();
  }

  private boolean error() {
    return rig.read(Registers.FSTS, Registers.IQE) != 0;
  }

  private int code() {
    return (int) rig.read(Registers.IQERCD, Registers.IQEI);
  }

  private void clear(Field bit) {
    rig.write(Registers.FSTS, bit.of(1));
  }

  private static long status(int data) {
    return Descriptor.WAIT | Descriptor.SW.of(1) | Descriptor.STDATA.of(data);
  }

  /** Width of the queue by mode: legacy takes either, the others 256 bits. */
  private Rig queue(int ttm) {
    return rig.root(rig.frame(), ttm).queue(ttm != Registers.TTM_LEGACY);
  }

  // ---- errors

  @Test
  void a_tail_beyond_the_queue_is_error_1() {
    queue(Registers.TTM_LEGACY);
    rig.write(Registers.IQT, 4096);
    assertThat(error()).isTrue();
    assertThat(code()).isEqualTo(1);
    assertThat(rig.read(Registers.IQH)).isZero();
  }

  @Test
  void a_descriptor_that_cannot_be_read_is_error_2() {
    queue(Registers.TTM_LEGACY);
    rig.memory.inject(rig.queueSlot(), 16, Failure.POISON);
    rig.append(Rig.iotlbGlobal(), 0).ring();
    assertThat(error()).isTrue();
    assertThat(code()).isEqualTo(2);
    rig.memory.clearInjections();
    clear(Registers.IQE);
    assertThat(error()).isFalse();
    assertThat(rig.idle()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    // mode, first word, second word, error
    "0, 0x0,                0,   3",
    "0, 0x6,                0,   3",
    "0, 0x7,                0,   3",
    "0, 0x8,                0,   3",
    "0, 0x9,                0,   3",
    "0, 0xa,                0,   3",
    "0, 0xb,                0,   3",
    "0, 0x212,              0,   3",
    "1, 0x0,                0,   3",
    "1, 0xb,                0,   3",
    "1, 0xf,                0,   3",
    "0, 0x51,               0,   4",
    "0, 0x4000000000011,    0,   4",
    "0, 0x11,               1,   4",
    "0, 0x112,              0,   4",
    "0, 0x100000012,        0,   4",
    "0, 0x12,               128, 4",
    "0, 0x13,               0,   4",
    "0, 0x3,                2,   4",
    "0, 0x24,               0,   4",
    "0, 0x14,               1,   4",
    "0, 0x105,              0,   4",
    "0, 0x25,               1,   4",
    "1, 0x66,               0,   4",
    "1, 0x10000000000026,   0,   4",
    "1, 0x77,               0,   4",
    "1, 0x29,               0,   4",
    "1, 0x5a,               0,   4",
  })
  void a_descriptor_that_is_not_legal_is_not_carried_out(
      int ttm, String first, long second, int code) {
    queue(ttm);
    rig.append(Long.decode(first), second).ring();
    assertThat(error()).isTrue();
    assertThat(code()).isEqualTo(code);
    assertThat(rig.read(Registers.IQH)).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    // Reserved granularities and what a capability or a limit forbids
    "0, 0x1,  0",
    "0, 0x2,  0",
    "1, 0x6,  0",
    "1, 0x16, 0",
    "1, 0x27, 0",
    "1, 0xa,  0",
  })
  void a_reserved_granularity_is_an_error(int ttm, String first, long second) {
    queue(ttm);
    rig.append(Long.decode(first), second).ring();
    assertThat(error()).isTrue();
    assertThat(code()).isBetween(3, 4);
  }

  @Test
  void the_upper_half_of_a_wide_descriptor_is_reserved() {
    queue(Registers.TTM_SCALABLE);
    rig.append(Rig.iotlbGlobal(), 0);
    rig.store(rig.queueSlot() - 16, 1);
    rig.ring();
    assertThat(error()).isTrue();
    assertThat(code()).isEqualTo(4);
  }

  @Test
  void no_page_is_named_where_the_unit_does_not_support_it() {
    rig.close();
    rig = Rig.with().cap(Capability.PSI, 0).build();
    queue(Registers.TTM_LEGACY);
    rig.append(Rig.iotlbPage(1), 0x1000).ring();
    assertThat(error()).isTrue();
  }

  @Test
  void no_device_is_named_where_the_unit_does_not_support_it() {
    rig.close();
    rig =
        Rig.with()
            .ecap(ExtendedCapability.DT, 0)
            .ecap(ExtendedCapability.PRS, 0)
            .ecap(ExtendedCapability.NWFS, 0)
            .ecap(ExtendedCapability.DIT, 0)
            .ecap(ExtendedCapability.PDS, 0)
            .ecap(ExtendedCapability.HPTS, 0)
            .ecap(ExtendedCapability.PTRS, 0)
            .ecap(ExtendedCapability.SMS, 0)
            .ecap(ExtendedCapability.HPT1GPS, 0)
            .build();
    queue(Registers.TTM_LEGACY);
    rig.append(Descriptor.DEVICE_TLB | Descriptor.SID.of(SID), 0).ring();
    assertThat(error()).isTrue();
    assertThat(rig.invalidations).isEmpty();
  }

  @Test
  void narrow_descriptors_in_scalable_mode_are_error_5() {
    rig.root(rig.frame(), Registers.TTM_SCALABLE).queue(false);
    rig.append(Rig.iotlbGlobal(), 0).ring();
    assertThat(error()).isTrue();
    assertThat(code()).isEqualTo(5);
  }

  @Test
  void a_tail_between_wide_descriptors_is_error_6() {
    queue(Registers.TTM_SCALABLE);
    rig.write(Registers.IQT, 16);
    assertThat(error()).isTrue();
    assertThat(code()).isEqualTo(6);
  }

  @Test
  void the_reserved_mode_is_error_7() {
    rig.root(rig.frame(), 2).queue(true);
    rig.append(Rig.iotlbGlobal(), 0).ring();
    assertThat(error()).isTrue();
    assertThat(code()).isEqualTo(7);
  }

  @Test
  void after_an_error_the_mended_descriptor_and_those_behind_it_are_carried_out() {
    queue(Registers.TTM_LEGACY);
    long mailbox = rig.frame();
    rig.submit(status(1), mailbox);
    long bad = rig.queueSlot();
    rig.append(0, 0).append(status(2), mailbox).ring();
    assertThat(error()).isTrue();
    assertThat(rig.read(Registers.IQH)).isEqualTo(16);
    assertThat(rig.load(mailbox)).isEqualTo(1);
    // Nothing goes on before the error is cleared.
    rig.ring();
    assertThat(rig.read(Registers.IQH)).isEqualTo(16);
    rig.store(bad, Rig.iotlbGlobal(), 0);
    clear(Registers.IQE);
    assertThat(error()).isFalse();
    assertThat(rig.idle()).isTrue();
    assertThat(rig.load(mailbox)).isEqualTo(2);
  }

  // ---- waiting

  @Test
  void a_wait_writes_its_status_and_raises_its_event() {
    queue(Registers.TTM_LEGACY);
    long mailbox = rig.frame();
    rig.write(Registers.IEDATA, 0x55);
    rig.write(Registers.IEADDR, 0xfee0_3000L);
    rig.write(Registers.IECTL, 0);
    rig.store(mailbox, -1);
    rig.submit(status(0x1234_5678), mailbox | 4);
    assertThat(rig.load(mailbox)).isEqualTo(0x1234_5678_ffff_ffffL);
    assertThat(rig.messages).isEmpty();
    rig.submit(Descriptor.WAIT | Descriptor.IF.of(1));
    assertThat(rig.read(Registers.ICS)).isEqualTo(1);
    assertThat(rig.messages).containsExactly(new Rig.Message(0xfee0_3000L, 0x55));
    // No second event while the first is not acknowledged.
    rig.submit(Descriptor.WAIT | Descriptor.IF.of(1));
    assertThat(rig.messages).hasSize(1);
    rig.write(Registers.ICS, 1);
    assertThat(rig.read(Registers.ICS)).isZero();
    rig.submit(Descriptor.WAIT | Descriptor.IF.of(1));
    assertThat(rig.messages).hasSize(2);
  }

  @Test
  void a_wait_waits_for_the_devices_that_were_asked_before() {
    queue(Registers.TTM_LEGACY);
    rig.enable();
    long mailbox = rig.frame();
    rig.append(Descriptor.DEVICE_TLB | Descriptor.SID.of(SID), 0x7000)
        .append(Descriptor.DEVICE_TLB | Descriptor.SID.of(SID + 8), 0x7fff_ffff_ffff_f001L)
        .append(status(1), mailbox)
        .ring();
    assertThat(rig.invalidations).hasSize(2);
    assertThat(rig.invalidations.get(0).source()).isEqualTo(SID);
    assertThat(rig.invalidations.get(0).payload() & ~0x7ffL).isEqualTo(0x7000);
    assertThat(rig.invalidations.get(1).source()).isEqualTo(SID + 8);
    assertThat(rig.load(mailbox)).isZero();
    assertThat(rig.idle()).isFalse();
    for (int i = 1; i >= 0; i--) {
      assertThat(rig.load(mailbox)).isZero();
      int tag = rig.invalidations.get(i).tag();
      assertThat(
              rig.unit.invalidationCompleted(rig.invalidations.get(i).source(), false, 1 << tag, 1))
          .isTrue();
    }
    assertThat(rig.load(mailbox)).isEqualTo(1);
    assertThat(rig.idle()).isTrue();
  }

  @Test
  void a_device_that_does_not_answer_aborts_the_waits() {
    queue(Registers.TTM_LEGACY);
    rig.enable();
    long mailbox = rig.frame();
    rig.append(Descriptor.DEVICE_TLB | Descriptor.SID.of(SID), 0x7000)
        .append(status(1), mailbox)
        .ring();
    rig.unit.invalidationTimedOut(1 << rig.invalidations.getFirst().tag());
    assertThat(rig.read(Registers.FSTS, Registers.ITE)).isEqualTo(1);
    assertThat(rig.read(Registers.IQERCD, Registers.ITESID)).isEqualTo(SID);
    assertThat(rig.load(mailbox)).isZero();
    // The queue stands until software has seen it, then the head decides.
    rig.append(status(2), mailbox).ring();
    assertThat(rig.load(mailbox)).isZero();
    clear(Registers.ITE);
    assertThat(rig.read(Registers.FSTS, Registers.ITE)).isZero();
    if (rig.invalidations.size() > 1) {
      int tag = rig.invalidations.getLast().tag();
      rig.unit.invalidationCompleted(SID, false, 1 << tag, 1);
    }
    assertThat(rig.load(mailbox)).isEqualTo(2);
    assertThat(rig.idle()).isTrue();
  }

  @Test
  void a_completion_that_nobody_waits_for_is_reported_and_the_queue_goes_on() {
    queue(Registers.TTM_LEGACY);
    rig.enable();
    assertThat(rig.unit.invalidationCompleted(SID, false, 1, 1)).isFalse();
    assertThat(rig.read(Registers.FSTS, Registers.ICE)).isEqualTo(1);
    assertThat(rig.read(Registers.IQERCD, Registers.ICESID)).isEqualTo(SID);
    rig.submit(Rig.iotlbGlobal());
    clear(Registers.ICE);
    assertThat(rig.read(Registers.FSTS, Registers.ICE)).isZero();
  }

  @Test
  void a_device_is_asked_about_a_pasid() {
    queue(Registers.TTM_SCALABLE);
    rig.enable();
    rig.submit(
        Descriptor.PASID_DEVICE_TLB | Descriptor.PASID_SID.of(SID) | Descriptor.PASID.of(0x12345),
        0x9000 | Descriptor.PASID_S.of(1));
    assertThat(rig.invalidations).hasSize(1);
    assertThat(rig.invalidations.getFirst().source()).isEqualTo(SID);
    assertThat(rig.invalidations.getFirst().pasid()).isEqualTo(0x12345);
    assertThat(rig.invalidations.getFirst().payload()).isEqualTo(0x9800);
  }

  @Test
  void the_queue_wraps() {
    queue(Registers.TTM_LEGACY);
    for (int i = 0; i < 600; i++) {
      rig.submit(Rig.iotlbGlobal());
    }
    assertThat(rig.read(Registers.IQH)).isEqualTo(16L * (600 % 256));
  }

  @Test
  void a_queue_of_several_pages_reaches_to_its_end() {
    long base = rig.frames(4);
    rig.root(rig.frame(), Registers.TTM_LEGACY);
    rig.write(Registers.IQA, base | Registers.QS.of(2));
    rig.command(Registers.QIE, true);
    for (int i = 0; i < 1023; i++) {
      rig.store(base + 16L * i, Rig.iotlbGlobal(), 0);
    }
    rig.write(Registers.IQT, 16L * 1023);
    assertThat(rig.read(Registers.IQH)).isEqualTo(16L * 1023);
    rig.write(Registers.IQT, 16L * 1024);
    assertThat(code()).isEqualTo(1);
  }

  @Test
  void a_tail_written_before_the_queue_is_enabled_counts() {
    rig.root(rig.frame(), Registers.TTM_LEGACY);
    long base = rig.frame();
    rig.store(base, Rig.iotlbGlobal(), 0);
    rig.write(Registers.IQA, base);
    rig.write(Registers.IQT, 16);
    rig.command(Registers.QIE, true);
    assertThat(rig.read(Registers.IQH)).isEqualTo(16);
  }

  @Test
  void a_queue_that_is_disabled_starts_at_0_again() {
    queue(Registers.TTM_LEGACY);
    rig.submit(Rig.iotlbGlobal()).submit(Descriptor.WAIT);
    rig.command(Registers.QIE, false);
    assertThat(rig.status(Registers.QIES)).isFalse();
    assertThat(rig.read(Registers.IQH)).isZero();
  }
}
