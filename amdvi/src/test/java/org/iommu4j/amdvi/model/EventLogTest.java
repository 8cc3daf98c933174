package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.IOVA;

import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.Registers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The event log as a ring: status, overflow, restart, the second log, and interrupts. */
class EventLogTest {
  private static final long MESSAGE_ADDRESS = 0xfee0_7000L;
  private static final int MESSAGE_DATA = 0x61;

  private final Rig rig = Rig.standard().start();

  @BeforeEach
  void setUp() {
    new Tables(rig).host();
  }

  @AfterEach
  void close() {
    rig.close();
  }

  private void fault(int count) {
    for (int i = 0; i < count; i++) {
      assertThat(rig.reads(DEVICE, IOVA + 4096L * (i + 1))).isFalse();
    }
  }

  private long tail() {
    return rig.read(Registers.EVENT_TAIL) / 16;
  }

  @Test
  void an_event_advances_the_tail_and_sets_the_status_without_interrupts_on() {
    fault(1);
    assertThat(tail()).isEqualTo(1);
    assertThat(rig.status(Registers.EVENT_LOG_INT)).isTrue();
    assertThat(rig.messages).isEmpty();
    rig.write(Registers.STATUS, Registers.EVENT_LOG_INT.mask());
    assertThat(rig.status(Registers.EVENT_LOG_INT)).isFalse();
    fault(1);
    assertThat(rig.status(Registers.EVENT_LOG_INT)).isTrue();
  }

  @Test
  void the_log_is_a_ring() {
    for (int i = 0; i < 3; i++) {
      fault(100);
      assertThat(rig.events()).hasSize(100);
    }
    assertThat(tail()).isEqualTo(300 - Rig.RING);
  }

  @Test
  void a_full_log_overflows_and_stops_until_it_is_restarted() {
    fault(Rig.RING - 1);
    assertThat(rig.status(Registers.EVENT_OVERFLOW)).isFalse();
    assertThat(rig.status(Registers.EVENT_LOG_RUN)).isTrue();
    fault(1);
    assertThat(rig.status(Registers.EVENT_OVERFLOW)).isTrue();
    assertThat(rig.status(Registers.EVENT_LOG_RUN)).isFalse();
    assertThat(tail()).isEqualTo(Rig.RING - 1);
    assertThat(rig.events()).hasSize(Rig.RING - 1);
    // Room alone does not help.
    fault(1);
    assertThat(rig.events()).isEmpty();
    rig.control(Control.EVENT_LOG_EN, 0);
    rig.write(Registers.STATUS, Registers.EVENT_OVERFLOW.mask());
    rig.control(Control.EVENT_LOG_EN, 1);
    assertThat(rig.status(Registers.EVENT_OVERFLOW)).isFalse();
    assertThat(rig.status(Registers.EVENT_LOG_RUN)).isTrue();
    fault(2);
    assertThat(rig.events()).hasSize(2);
  }

  @Test
  void a_new_base_resets_both_pointers() {
    fault(3);
    rig.control(Control.EVENT_LOG_EN, 0);
    long second = rig.frame();
    rig.write(Registers.EVENT_LOG, Rig.ring(second));
    assertThat(rig.read(Registers.EVENT_HEAD)).isZero();
    assertThat(tail()).isZero();
    rig.control(Control.EVENT_LOG_EN, 1);
    fault(1);
    assertThat(rig.load(second)).isNotZero();
  }

  @Test
  void software_writes_the_tail_only_while_the_log_is_off() {
    fault(3);
    rig.write(Registers.EVENT_TAIL, 0);
    assertThat(tail()).isEqualTo(3);
    rig.control(Control.EVENT_LOG_EN, 0);
    rig.write(Registers.EVENT_TAIL, 16);
    assertThat(tail()).isEqualTo(1);
  }

  @Test
  void with_auto_swap_the_second_log_takes_over() {
    long second = rig.frame();
    rig.control(Control.EVENT_LOG_EN, 0);
    rig.write(Registers.EVENT_LOG_B, Rig.ring(second));
    rig.control(Control.DUAL_EVENT_LOG_EN, 2).control(Control.EVENT_LOG_EN, 1);
    fault(Rig.RING - 1);
    assertThat(rig.status(Registers.EVENT_LOG_ACTIVE)).isFalse();
    assertThat(rig.read(Registers.EVENT_B_TAIL)).isZero();
    fault(2);
    assertThat(rig.status(Registers.EVENT_LOG_ACTIVE)).isTrue();
    assertThat(rig.status(Registers.EVENT_LOG_RUN)).isTrue();
    assertThat(rig.log(second, Registers.EVENT_B_HEAD, Registers.EVENT_B_TAIL)).hasSize(2);
    assertThat(rig.events()).hasSize(Rig.RING - 1);
  }

  @Test
  void with_one_the_second_log_is_the_only_one() {
    long second = rig.frame();
    rig.control(Control.EVENT_LOG_EN, 0);
    rig.write(Registers.EVENT_LOG_B, Rig.ring(second));
    rig.control(Control.DUAL_EVENT_LOG_EN, 1).control(Control.EVENT_LOG_EN, 1);
    fault(1);
    assertThat(tail()).isZero();
    assertThat(rig.log(second, Registers.EVENT_B_HEAD, Registers.EVENT_B_TAIL)).hasSize(1);
  }

  // ---- interrupts

  private void msi() {
    rig.write(Registers.MSI_ADDRESS_LOW, MESSAGE_ADDRESS);
    rig.write(Registers.MSI_DATA, MESSAGE_DATA);
    rig.write(Registers.MSI_CAPABILITY, Registers.MSI_EN.mask());
  }

  @Test
  void an_event_sends_the_unit_s_msi_if_both_are_on() {
    msi();
    fault(1);
    assertThat(rig.messages).isEmpty();
    rig.write(Registers.STATUS, Registers.EVENT_LOG_INT.mask());
    rig.control(Control.EVENT_INT_EN, 1);
    fault(1);
    assertThat(rig.messages).containsExactly(new Rig.Message(MESSAGE_ADDRESS, MESSAGE_DATA));
    rig.write(Registers.STATUS, Registers.EVENT_LOG_INT.mask());
    fault(1);
    assertThat(rig.messages).hasSize(2);
  }

  /** As in a boot: a device faults after the log is on, and before its interrupt is. */
  @Test
  void an_event_from_before_is_told_when_interrupts_are_turned_on() {
    msi();
    fault(1);
    rig.control(Control.EVENT_INT_EN, 1);
    assertThat(rig.messages).containsExactly(new Rig.Message(MESSAGE_ADDRESS, MESSAGE_DATA));
    rig.control(Control.COM_WAIT_INT_EN, 1);
    fault(1);
    assertThat(rig.messages).hasSize(1);
    rig.write(Registers.STATUS, Registers.EVENT_LOG_INT.mask());
    rig.control(Control.EVENT_INT_EN, 0).control(Control.EVENT_INT_EN, 1);
    assertThat(rig.messages).hasSize(1);
    fault(1);
    assertThat(rig.messages).hasSize(2);
  }

  @Test
  void no_msi_is_sent_while_it_is_disabled() {
    msi();
    rig.write(Registers.MSI_CAPABILITY, 0);
    rig.control(Control.EVENT_INT_EN, 1);
    fault(1);
    assertThat(rig.messages).isEmpty();
  }

  @Test
  void an_overflow_interrupts_too() {
    msi();
    fault(Rig.RING - 1);
    rig.write(Registers.STATUS, Registers.EVENT_LOG_INT.mask());
    rig.control(Control.EVENT_INT_EN, 1);
    rig.messages.clear();
    fault(1);
    assertThat(rig.messages).hasSize(1);
  }

  @Test
  void completion_wait_interrupts_with_its_own_switch() {
    msi();
    rig.submit(Rig.completionWait() | Command.I.of(1));
    assertThat(rig.messages).isEmpty();
    rig.write(Registers.STATUS, Registers.COM_WAIT_INT.mask());
    rig.control(Control.COM_WAIT_INT_EN, 1);
    rig.submit(Rig.completionWait() | Command.I.of(1));
    assertThat(rig.messages).containsExactly(new Rig.Message(MESSAGE_ADDRESS, MESSAGE_DATA));
  }

  @Test
  void with_int_cap_xt_en_the_xt_register_tells_where_interrupts_go() {
    msi();
    rig.write(
        Registers.XT_GENERAL,
        Registers.XT_DM.of(1)
            | Registers.XT_DEST_LOW.of(0x34_5678)
            | Registers.XT_DEST_HIGH.of(0x12)
            | Registers.XT_VECTOR.of(0x72)
            | Registers.XT_MT.of(1));
    rig.control(Control.INT_CAP_XT_EN, 1).control(Control.EVENT_INT_EN, 1);
    fault(1);
    assertThat(rig.messages)
        .containsExactly(new Rig.Message(0xfee0_0000L | 0x78 << 12 | 0x12_3456L << 40 | 4, 0x172));
  }

  @Test
  void an_xt_register_of_zero_is_masked() {
    rig.control(Control.INT_CAP_XT_EN, 1).control(Control.EVENT_INT_EN, 1);
    fault(1);
    assertThat(rig.messages).isEmpty();
    assertThat(rig.status(Registers.EVENT_LOG_INT)).isTrue();
  }
}
