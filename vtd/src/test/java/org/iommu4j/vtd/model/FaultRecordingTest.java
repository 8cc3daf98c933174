package org.iommu4j.vtd.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.FaultRecord;
import org.iommu4j.vtd.layout.Registers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fault recording registers, their overflow, and the event that tells software about them. */
class FaultRecordingTest {
  private static final long IOVA = 0x5000;
  private static final Rig.Message EVENT = new Rig.Message(0x12_0000_0000L | 0xfee0_4000L, 0x77);

  private Rig rig = Rig.standard();

  @AfterEach
  void close() {
    rig.close();
  }

  @BeforeEach
  void start() {
    rig.root(rig.frame(), Registers.TTM_LEGACY).enable();
    rig.write(Registers.FEDATA, 0x77);
    rig.write(Registers.FEADDR, 0xfee0_4000L);
    rig.write(Registers.FEUADDR, 0x12);
  }

  /** A fault of a function that nothing is known about. */
  private void fault(int sid) {
    assertThat(rig.reads(sid, IOVA)).isFalse();
  }

  private void unmask() {
    rig.write(Registers.FECTL, 0);
  }

  private boolean interruptPending() {
    return rig.read(Registers.FECTL, Registers.IP) != 0;
  }

  private int first() {
    return (int) rig.read(Registers.FSTS, Registers.FRI);
  }

  private boolean overflow() {
    return rig.read(Registers.FSTS, Registers.PFO) != 0;
  }

  @Test
  void out_of_reset_the_event_is_masked() {
    assertThat(rig.read(Registers.FECTL)).isEqualTo(0x8000_0000L);
    fault(1);
    assertThat(rig.messages).isEmpty();
    assertThat(interruptPending()).isTrue();
  }

  @Test
  void the_first_pending_fault_sends_a_message_and_no_other_does() {
    unmask();
    fault(1);
    assertThat(rig.messages).containsExactly(EVENT);
    assertThat(interruptPending()).isFalse();
    fault(2);
    fault(3);
    assertThat(rig.messages).hasSize(1);
    assertThat(rig.faults()).extracting(Rig.Fault::sid).containsExactly(1, 2, 3);
    fault(4);
    assertThat(rig.messages).hasSize(2);
  }

  @Test
  void unmasking_sends_what_is_pending() {
    fault(1);
    unmask();
    assertThat(rig.messages).containsExactly(EVENT);
    assertThat(interruptPending()).isFalse();
    rig.write(Registers.FECTL, Registers.IM.of(1));
    unmask();
    assertThat(rig.messages).hasSize(1);
  }

  @Test
  void software_that_has_seen_everything_gets_no_message_any_more() {
    fault(1);
    assertThat(interruptPending()).isTrue();
    assertThat(rig.faults()).hasSize(1);
    assertThat(interruptPending()).isFalse();
    unmask();
    assertThat(rig.messages).isEmpty();
  }

  @Test
  void a_queue_error_while_a_fault_is_pending_raises_no_second_event() {
    unmask();
    rig.queue(false);
    fault(1);
    assertThat(rig.messages).hasSize(1);
    rig.append(0, 0).ring();
    assertThat(rig.read(Registers.FSTS, Registers.IQE)).isEqualTo(1);
    assertThat(rig.messages).hasSize(1);
    rig.faults();
    rig.write(Registers.FSTS, Registers.IQE.of(1));
    // The descriptor is still not legal.
    assertThat(rig.read(Registers.FSTS, Registers.IQE)).isEqualTo(1);
    assertThat(rig.messages).hasSize(2);
  }

  @Test
  void records_fill_the_registers_in_turn_and_the_next_overflows() {
    for (int sid = 1; sid <= 8; sid++) {
      fault(sid);
      assertThat(overflow()).isFalse();
      assertThat(first()).isZero();
    }
    fault(9);
    assertThat(overflow()).isTrue();
    for (int n = 0; n < 8; n++) {
      assertThat(rig.fault(n).sid()).isEqualTo(n + 1);
      assertThat(rig.fault(n).code()).isEqualTo(1);
    }
  }

  @Test
  void while_the_overflow_stands_nothing_is_recorded() {
    for (int sid = 1; sid <= 9; sid++) {
      fault(sid);
    }
    rig.clearFault(0);
    fault(10);
    assertThat(FaultRecord.F.isSet(rig.fault(0).high())).isFalse();
    rig.write(Registers.FSTS, Registers.PFO.of(1));
    assertThat(overflow()).isFalse();
    fault(11);
    assertThat(rig.fault(0).sid()).isEqualTo(11);
  }

  @Test
  void the_index_goes_around_and_points_to_the_first_pending() {
    for (int round = 0; round < 3; round++) {
      for (int n = 0; n < 5; n++) {
        fault(0x100 + n);
      }
      assertThat(first()).isEqualTo(round * 5 % 8);
      assertThat(rig.faults())
          .extracting(Rig.Fault::sid)
          .containsExactly(0x100, 0x101, 0x102, 0x103, 0x104);
      assertThat(rig.pending()).isFalse();
    }
  }

  @Test
  void the_index_starts_again_when_translation_is_off() {
    fault(1);
    rig.faults();
    rig.command(Registers.TE, false);
    rig.enable();
    fault(2);
    assertThat(first()).isZero();
    assertThat(rig.fault(0).sid()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void faults_of_one_requester_may_be_recorded_once(boolean collapse) {
    rig.close();
    rig = Rig.with().option("collapse_faults", collapse).build();
    start();
    fault(1);
    fault(1);
    fault(2);
    fault(1);
    if (collapse) {
      assertThat(rig.faults()).extracting(Rig.Fault::sid).containsExactly(1, 2);
    } else {
      assertThat(rig.faults()).extracting(Rig.Fault::sid).containsExactly(1, 1, 2, 1);
    }
    fault(1);
    assertThat(rig.faults()).hasSize(1);
  }

  @Test
  void a_unit_with_one_record_overflows_with_the_second_fault() {
    rig.close();
    rig = Rig.with().cap(Capability.NFR, 0).build();
    start();
    fault(1);
    assertThat(overflow()).isFalse();
    fault(2);
    assertThat(overflow()).isTrue();
    assertThat(rig.faults()).extracting(Rig.Fault::sid).containsExactly(1);
    fault(3);
    assertThat(rig.faults()).extracting(Rig.Fault::sid).containsExactly(3);
  }

  @Test
  void a_record_is_cleared_by_writing_one_and_by_nothing_else() {
    fault(1);
    long high = rig.fault(0).high();
    rig.write(FaultRecord.high(rig.cap(), 0), ~FaultRecord.F.mask());
    rig.write(FaultRecord.low(rig.cap(), 0), -1);
    assertThat(rig.fault(0)).isEqualTo(new Rig.Fault(IOVA, high));
    rig.write(Registers.FSTS, Registers.PPF.of(1));
    assertThat(rig.pending()).isTrue();
    // As Linux does it: the uppermost four bytes alone.
    int at = FaultRecord.high(rig.cap(), 0).offset() + 4;
    rig.unit.write(at, 4, 0x8000_0000L);
    assertThat(rig.pending()).isFalse();
  }
}
