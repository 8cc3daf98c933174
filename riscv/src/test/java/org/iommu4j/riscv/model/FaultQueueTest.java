package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.layout.Registers.FIP;
import static org.iommu4j.riscv.layout.Registers.FQCSR;
import static org.iommu4j.riscv.layout.Registers.FQH;
import static org.iommu4j.riscv.layout.Registers.FQMF;
import static org.iommu4j.riscv.layout.Registers.FQOF;
import static org.iommu4j.riscv.layout.Registers.FQT;
import static org.iommu4j.riscv.layout.Registers.IPSR;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Registers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The fault queue: when a record is written, when not, and what is told about it. */
class FaultQueueTest {
  private static final int ON = 0x1_0001;

  private final Rig rig = Rig.standard().queues();

  @AfterEach
  void close() {
    rig.close();
  }

  /** The unit is Off: every request is a fault. */
  private void fault() {
    assertThat(rig.access(8, 0x1000, Access.READ)).isFalse();
  }

  @Test
  void a_queue_that_is_off_records_nothing() {
    rig.write(FQCSR, 0);
    fault();
    assertThat(rig.read(FQT)).isZero();
    assertThat(rig.read(FQCSR)).isZero();
  }

  @Test
  void one_slot_stays_unused_and_what_comes_then_is_lost() {
    for (int i = 0; i < 127; i++) {
      fault();
    }
    assertThat(rig.read(FQT)).isEqualTo(127);
    assertThat(rig.read(FQCSR)).isEqualTo(ON);
    fault();
    assertThat(rig.read(FQT)).isEqualTo(127);
    assertThat(rig.read(FQCSR)).isEqualTo(ON | FQOF.mask());
    // Room alone does not start it again.
    rig.write(FQH, 100);
    fault();
    assertThat(rig.read(FQT)).isEqualTo(127);
    rig.write(FQCSR, 1 | FQOF.mask());
    fault();
    assertThat(rig.read(FQT)).isZero();
    fault();
    assertThat(rig.read(FQT)).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(
      value = Failure.class,
      names = {"ACCESS", "WRITE_ACCESS"})
  void a_record_that_cannot_be_written_is_lost_and_stops_the_queue(Failure failure) {
    fault();
    rig.memory.inject(rig.faultQueue() + 32 + 24, 8, failure);
    fault();
    assertThat(rig.read(FQT)).isEqualTo(1);
    assertThat(rig.read(FQCSR)).isEqualTo(ON | FQMF.mask());
    rig.memory.clearInjections();
    assertThat(rig.memory.readLong(rig.faultQueue() + 32)).isZero();
    fault();
    assertThat(rig.read(FQT)).isEqualTo(1);
    rig.write(FQCSR, 1 | FQMF.mask());
    fault();
    assertThat(rig.read(FQT)).isEqualTo(2);
  }

  @Test
  void turning_it_on_starts_at_zero_without_errors_and_leaves_the_head() {
    rig.memory.inject(rig.faultQueue() + 32, 8, Failure.ACCESS);
    fault();
    fault();
    rig.write(FQH, 1);
    rig.write(FQCSR, 0);
    assertThat(rig.read(FQCSR)).isEqualTo(FQMF.mask());
    rig.write(FQCSR, 1);
    assertThat(rig.read(FQCSR)).isEqualTo(ON);
    assertThat(rig.read(FQT)).isZero();
    assertThat(rig.read(FQH)).isEqualTo(1);
  }

  @Test
  void a_new_record_an_overflow_and_a_memory_fault_interrupt() {
    rig.write(Registers.MSI_ADDR.getFirst(), rig.frame());
    rig.write(FQCSR, 3);
    fault();
    assertThat(rig.read(IPSR, FIP)).isEqualTo(1);
    // Records that are still queued are no reason for another interrupt.
    rig.write(IPSR, FIP.mask());
    assertThat(rig.read(IPSR, FIP)).isZero();
    rig.write(FQH, 2);
    fault(); // full
    assertThat(rig.read(FQCSR)).isEqualTo(ON | 2 | FQOF.mask());
    assertThat(rig.read(IPSR, FIP)).isEqualTo(1);
    rig.write(IPSR, FIP.mask());
    assertThat(rig.read(IPSR, FIP)).as("fqof still holds").isEqualTo(1);
    rig.write(FQCSR, 3 | FQOF.mask());
    rig.write(IPSR, FIP.mask());
    assertThat(rig.read(IPSR, FIP)).isZero();
  }

  @Test
  void enabling_the_interrupt_while_an_error_stands_raises_it() {
    rig.write(FQH, 1);
    fault();
    assertThat(rig.read(IPSR)).isZero();
    rig.write(FQCSR, 3);
    assertThat(rig.read(IPSR, FIP)).isEqualTo(1);
  }

  @Test
  void records_are_big_endian_if_the_unit_is() {
    for (var csr : new org.iommu4j.core.bits.Register[] {Registers.CQCSR, FQCSR, Registers.PQCSR}) {
      rig.write(csr, 0);
    }
    rig.write(Registers.FCTL, 1);
    rig.restarted(0);
    rig.queues();
    rig.access(0x12_3456, 0xabcd_1000L, Access.WRITE);
    assertThat(rig.memory.readLong(rig.faultQueue()))
        .isEqualTo(Long.reverseBytes(0x1234_560c_0000_0100L));
    assertThat(rig.memory.readLong(rig.faultQueue() + 16))
        .isEqualTo(Long.reverseBytes(0xabcd_1000L));
    assertThat(rig.faults()).hasSize(1);
  }

  @Test
  void pid_and_priv_are_zero_without_a_process() {
    DmaRequest request = rig.request(8, 0x1000, Access.READ | Access.PRIVILEGED);
    rig.translate(request);
    rig.translate(request.pasid(0xf_ffff));
    assertThat(rig.faults())
        .extracting(Rig.Fault::pv, Rig.Fault::priv, Rig.Fault::pid)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(false, false, 0),
            org.assertj.core.groups.Tuple.tuple(true, true, 0xf_ffff));
  }

  @Test
  void the_transaction_type_tells_the_kind_of_request() {
    int[][] table = {
      // access, type, with a process: TTYP
      {Access.READ, 0, 0, 2},
      {Access.READ | Access.EXECUTE, 0, 0, 1},
      {Access.EXECUTE, 0, 1, 1},
      {Access.WRITE, 0, 0, 3},
      {Access.WRITE | Access.ATOMIC, 0, 0, 3},
      {Access.WRITE | Access.EXECUTE, 0, 0, 3},
      {Access.READ, 2, 0, 6},
      {Access.READ | Access.EXECUTE, 2, 0, 6},
      {Access.READ | Access.EXECUTE, 2, 1, 5},
      {Access.WRITE, 2, 0, 7},
      {Access.READ, 1, 0, 8},
      {Access.READ | Access.WRITE, 1, 0, 8},
    };
    for (int[] row : table) {
      rig.translate(
          rig.request(8, 0x1000, row[0])
              .addressType(AddressType.values()[row[1]])
              .pasid(row[2] == 0 ? DmaRequest.NO_PASID : 4));
      assertThat(rig.faults().getFirst().type().code()).isEqualTo(row[3]);
    }
  }

  @Test
  void a_queue_beyond_the_physical_address_size_cannot_be_written() {
    try (Rig small = Rig.with().with(Capabilities.PAS, 32).build()) {
      small.write(Registers.FQB, 0xffff_ffffL >>> 12 << 10 | 12);
      small.write(FQCSR, 1);
      small.access(8, 0, Access.READ);
      assertThat(small.read(FQCSR, FQMF)).isEqualTo(1);
    }
  }
}
