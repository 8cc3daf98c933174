package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.layout.Registers.CQCSR;
import static org.iommu4j.riscv.layout.Registers.FCTL;
import static org.iommu4j.riscv.layout.Registers.FQCSR;
import static org.iommu4j.riscv.layout.Registers.ICVEC;
import static org.iommu4j.riscv.layout.Registers.IPSR;
import static org.iommu4j.riscv.layout.Registers.MSI_ADDR;
import static org.iommu4j.riscv.layout.Registers.MSI_DATA;
import static org.iommu4j.riscv.layout.Registers.MSI_VEC_CTL;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.Registers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** ipsr, the messages and the wires that follow from it. */
@Timeout(20)
class InterruptTest {
  private static final long CIP = 1;
  private static final long FIP = 2;
  private static final long CMD_ILL = 1 << 10;

  private final Rig rig = Rig.standard().queues();
  private final long target = rig.frame();

  @AfterEach
  void close() {
    rig.close();
  }

  private void vectors(int... numbers) {
    long icvec = 0;
    for (int i = 0; i < numbers.length; i++) {
      icvec |= (long) numbers[i] << 4 * i;
    }
    rig.write(ICVEC, icvec);
    for (int v = 0; v < 16; v++) {
      rig.write(MSI_ADDR.get(v), target + 4 * v);
      rig.write(MSI_DATA.get(v), 0x100 + v);
    }
  }

  /** The message that vector v sent; it is taken away. */
  private long message(int v) {
    long data = rig.memory.readInt(target + 4 * v);
    rig.memory.writeInt(target + 4 * v, 0);
    return data;
  }

  /** The unit is Off: a request is a fault. */
  private void fault() {
    rig.access(8, 0x1000, Access.READ);
  }

  private void illegal() {
    rig.command(0x7f);
  }

  private void wired() {
    rig.write(CQCSR, 0);
    rig.write(FQCSR, 0);
    rig.write(Registers.PQCSR, 0);
    rig.write(FCTL, 2);
    rig.restarted(0);
    rig.queues();
  }

  private String wires() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 16; i++) {
      if (rig.wires[i]) {
        text.append(i).append(' ');
      }
    }
    return text.toString().strip();
  }

  @Test
  void a_bit_that_becomes_set_sends_the_message_of_its_vector_once() {
    vectors(3, 5);
    rig.write(FQCSR, 3);
    fault();
    assertThat(rig.read(IPSR)).isEqualTo(FIP);
    assertThat(message(5)).isEqualTo(0x105);
    fault();
    assertThat(message(5)).isZero();
    rig.write(IPSR, FIP);
    assertThat(message(5)).isZero();
    fault();
    assertThat(message(5)).isEqualTo(0x105);
    rig.write(CQCSR, 3);
    illegal();
    assertThat(message(3)).isEqualTo(0x103);
  }

  @Test
  void nothing_is_pending_while_the_interrupt_is_disabled() {
    vectors(0, 0);
    fault();
    illegal();
    assertThat(rig.read(IPSR)).isZero();
    assertThat(message(0)).isZero();
  }

  @Test
  void a_condition_that_still_holds_sends_again_when_acknowledged() {
    vectors(1, 1);
    rig.write(CQCSR, 3);
    illegal();
    assertThat(message(1)).isEqualTo(0x101);
    rig.write(IPSR, CIP);
    assertThat(rig.read(IPSR)).isEqualTo(CIP);
    assertThat(message(1)).isEqualTo(0x101);
    // The cause first, then the bit: now it is quiet.
    rig.write(CQCSR, 1);
    rig.write(IPSR, CIP);
    assertThat(rig.read(IPSR)).isZero();
    assertThat(message(1)).isZero();
  }

  @Test
  void acknowledging_one_cause_leaves_the_others() {
    vectors(0, 1);
    rig.write(CQCSR, 3);
    rig.write(FQCSR, 3);
    fault();
    illegal();
    assertThat(rig.read(IPSR)).isEqualTo(CIP | FIP);
    rig.write(IPSR, FIP);
    assertThat(rig.read(IPSR)).isEqualTo(CIP);
    assertThat(message(0)).isEqualTo(0x100);
  }

  @Test
  void a_masked_vector_sends_when_it_is_unmasked() {
    vectors(2, 2);
    rig.write(MSI_VEC_CTL.get(2), 1);
    rig.write(FQCSR, 3);
    fault();
    assertThat(rig.read(IPSR)).isEqualTo(FIP);
    assertThat(message(2)).isZero();
    rig.write(MSI_VEC_CTL.get(2), 1);
    assertThat(message(2)).isZero();
    rig.write(MSI_DATA.get(2), 0x777);
    rig.write(MSI_VEC_CTL.get(2), 0);
    assertThat(message(2)).isEqualTo(0x777);
    // Once: neither masking again nor clearing the bit repeats it.
    rig.write(MSI_VEC_CTL.get(2), 1);
    rig.write(MSI_VEC_CTL.get(2), 0);
    assertThat(message(2)).isZero();
  }

  @Test
  void two_causes_on_one_masked_vector_are_one_message() {
    vectors(2, 2);
    rig.write(MSI_VEC_CTL.get(2), 1);
    rig.write(FQCSR, 3);
    rig.write(CQCSR, 3);
    fault();
    illegal();
    rig.write(MSI_VEC_CTL.get(2), 0);
    assertThat(message(2)).isEqualTo(0x102);
    assertThat(rig.read(IPSR)).isEqualTo(CIP | FIP);
  }

  @Test
  void messages_are_big_endian_if_the_unit_is() {
    rig.write(CQCSR, 0);
    rig.write(FQCSR, 0);
    rig.write(Registers.PQCSR, 0);
    rig.write(FCTL, 1);
    rig.restarted(0);
    rig.queues();
    vectors(0, 4);
    rig.write(FQCSR, 3);
    fault();
    assertThat(message(4)).isEqualTo(0x0401_0000L);
  }

  @Test
  void a_message_that_fails_is_a_fault_without_a_request() {
    vectors(0, 1);
    rig.memory.inject(target + 4, 4, Failure.WRITE_ACCESS);
    rig.write(FQCSR, 3);
    fault();
    assertThat(rig.faults())
        .satisfiesExactly(
            f -> assertThat(f.cause()).isEqualTo(Cause.ALL_INBOUND_TRANSACTIONS_DISALLOWED),
            f -> {
              assertThat(f.cause()).isEqualTo(Cause.IOMMU_MSI_WRITE_ACCESS_FAULT);
              assertThat(f.type().code()).isZero();
              assertThat(f.did()).isZero();
              assertThat(f.iotval()).isEqualTo(target + 4);
            });
  }

  @Test
  void a_message_to_the_units_own_registers_is_refused() {
    rig.memory.addDevice(0x4000_0000, 4096, rig.unit);
    vectors(0, 0);
    // It would clear the bit that sends it again, for ever.
    rig.write(MSI_ADDR.get(0), 0x4000_0000 + IPSR.offset());
    rig.write(MSI_DATA.get(0), CIP);
    rig.write(CQCSR, 3);
    illegal();
    rig.write(IPSR, CIP);
    assertThat(rig.read(IPSR)).isEqualTo(CIP);
    assertThat(rig.faults())
        .extracting(Rig.Fault::cause)
        .containsOnly(Cause.IOMMU_MSI_WRITE_ACCESS_FAULT)
        .hasSize(2);
  }

  @Test
  void wires_are_as_high_as_the_bits_behind_them() {
    wired();
    vectors(7, 9);
    assertThat(wires()).isEmpty();
    rig.write(CQCSR, 3);
    rig.write(FQCSR, 3);
    illegal();
    assertThat(wires()).isEqualTo("7");
    fault();
    assertThat(wires()).isEqualTo("7 9");
    rig.write(IPSR, FIP);
    assertThat(wires()).isEqualTo("7");
    rig.write(IPSR, CIP); // comes back at once
    assertThat(wires()).isEqualTo("7");
    rig.write(CQCSR, 1 | CMD_ILL);
    rig.write(IPSR, CIP);
    assertThat(wires()).isEmpty();
    assertThat(message(7)).isZero();
  }

  @Test
  void causes_that_share_a_wire_hold_it_together() {
    wired();
    vectors(4, 4);
    rig.write(CQCSR, 3);
    rig.write(FQCSR, 3);
    illegal();
    fault();
    assertThat(wires()).isEqualTo("4");
    rig.write(IPSR, FIP);
    assertThat(wires()).isEqualTo("4");
    rig.write(CQCSR, 1);
    rig.write(IPSR, CIP);
    assertThat(wires()).isEmpty();
  }

  @Test
  void a_bit_moves_to_another_wire_with_its_vector() {
    wired();
    vectors(1, 1);
    rig.write(FQCSR, 3);
    fault();
    assertThat(wires()).isEqualTo("1");
    rig.write(ICVEC, 0x60);
    assertThat(wires()).isEqualTo("6");
  }

  @Test
  void wires_follow_the_choice_between_wires_and_messages() {
    vectors(1, 2);
    rig.write(FQCSR, 3);
    fault();
    assertThat(message(2)).isEqualTo(0x102);
    rig.write(FQCSR, 0);
    rig.write(CQCSR, 0);
    rig.write(Registers.PQCSR, 0);
    rig.write(FCTL, 2);
    assertThat(wires()).isEqualTo("2");
    rig.write(FCTL, 0);
    assertThat(wires()).isEmpty();
    assertThat(rig.read(IPSR)).isEqualTo(FIP);
  }

  @Test
  void a_masked_message_is_not_sent_by_a_unit_that_uses_wires() {
    vectors(1, 2);
    rig.write(MSI_VEC_CTL.get(2), 1);
    rig.write(FQCSR, 3);
    fault();
    rig.write(FQCSR, 0);
    rig.write(CQCSR, 0);
    rig.write(Registers.PQCSR, 0);
    rig.write(FCTL, 2);
    rig.write(MSI_VEC_CTL.get(2), 0);
    assertThat(message(2)).isZero();
  }

  @Test
  void a_fence_on_wires_holds_its_interrupt_until_acknowledged() {
    wired();
    vectors(3, 5);
    rig.write(CQCSR, 3);
    rig.command(0x802);
    assertThat(wires()).isEqualTo("3");
    rig.write(IPSR, CIP);
    assertThat(wires()).isEqualTo("3"); // fence_w_ip still holds
    rig.write(CQCSR, 3 | 1 << 11);
    rig.write(IPSR, CIP);
    assertThat(wires()).isEmpty();
  }
}
