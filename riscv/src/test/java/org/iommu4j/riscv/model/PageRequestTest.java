package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.layout.DeviceContext.EN_ATS;
import static org.iommu4j.riscv.layout.DeviceContext.EN_PRI;
import static org.iommu4j.riscv.layout.DeviceContext.PRPR;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.Registers;
import org.iommu4j.riscv.layout.TransactionType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Page requests: the table of §8.4, each row with and without PASID and PRPR. */
class PageRequestTest {
  private static final int DID = Dir.DID;
  private static final long READ_LAST = 0x7_b02dL; // page 7b, group 5, L and R
  private static final long STOP = READ_LAST & ~1L; // L alone

  private final Rig rig = Rig.standard().queues();

  @AfterEach
  void close() {
    rig.close();
  }

  private void send(int pasid, long payload) {
    rig.unit.pageRequest(
        new PageRequest(DID, true, pasid, Access.PRIVILEGED | Access.EXECUTE, payload));
  }

  private Dir dir() {
    return new Dir(rig).tc(EN_ATS, EN_PRI);
  }

  @ParameterizedTest
  @CsvSource({
    // case, PRPR, PASID of the request: cause, response code, PASID of the response
    "off,        0, -1, 256, 15, -1",
    "off,        0,  6, 256, 15,  6",
    "bare,       0, -1, 260,  1, -1",
    "bare,       0,  6, 260,  1, -1",
    "wide,       0,  6, 260,  1, -1",
    "load,       0,  6, 257, 15,  6",
    "invalid,    0,  6, 258, 15,  6",
    "wrong,      0,  6, 259, 15,  6",
    "poison,     0,  6, 268, 15,  6",
    "no pri,     0,  6, 260,  1, -1",
    "no queue,   0,  6,   0, 15,  6",
    "no queue,   1,  6,   0, 15,  6",
    "fault,      0,  6,   0, 15,  6",
    "overflow,   0,  6,   0,  0, -1",
    "overflow,   1,  6,   0,  0,  6",
    "overflow,   1, -1,   0,  0, -1",
    "full,       0,  6,   0,  0, -1",
    "full,       1,  6,   0,  0,  6",
    "no memory,  0,  6,   0, 15,  6",
    "no memory,  1,  6,   0, 15,  6",
  })
  void what_the_unit_cannot_queue_it_answers_itself(
      String name, int prpr, int pasid, int cause, int code, int responsePasid) {
    arrange(name, prpr != 0);
    send(pasid, READ_LAST);
    if (cause == 0) {
      assertThat(rig.faults()).isEmpty();
    } else {
      assertThat(rig.faults())
          .containsExactly(
              new Rig.Fault(
                  Cause.of(cause),
                  TransactionType.MESSAGE_REQUEST,
                  DID,
                  Math.max(pasid, 0),
                  pasid >= 0,
                  pasid >= 0,
                  4,
                  0));
    }
    assertThat(rig.responses)
        .containsExactly(
            new PageResponse(
                DID, true, responsePasid, 5, code, 0x5_0000_0000L | (long) code << 44));
    // No answer to what is not the last of its group, and to stop markers.
    rig.responses.clear();
    send(pasid, READ_LAST & ~4L);
    send(pasid, STOP);
    assertThat(rig.responses).isEmpty();
  }

  private void arrange(String name, boolean prpr) {
    Dir dir = dir();
    if (prpr) {
      dir.tc(PRPR);
    }
    switch (name) {
      case "off" -> {}
      case "bare" -> rig.write(Registers.DDTP, 1);
      case "wide" -> rig.write(Registers.DDTP, 2 | dir.root >>> 12 << 10);
      case "load" -> rig.write(Registers.DDTP, 4 | 0xf_0000L << 10);
      case "invalid" -> {
        dir.words[DeviceContext.TC] = 0;
        dir.start();
      }
      case "wrong" -> {
        dir.words[DeviceContext.TC] |= 1L << 50;
        dir.start();
      }
      case "poison" -> {
        dir.start();
        rig.memory.inject(dir.context, 64, Failure.POISON);
      }
      case "no pri" -> {
        dir.words[DeviceContext.TC] = 1 | EN_ATS.mask();
        dir.start();
      }
      default -> {
        dir.start();
        queue(name);
      }
    }
  }

  private void queue(String name) {
    switch (name) {
      case "no queue" -> rig.write(Registers.PQCSR, 0);
      case "full" -> rig.write(Registers.PQH, 1);
      case "no memory" -> rig.memory.inject(rig.pageRequestQueue(), 16, Failure.WRITE_ACCESS);
      case "overflow" -> {
        rig.write(Registers.PQH, 1);
        send(-1, READ_LAST & ~4L);
        assertThat(rig.read(Registers.PQCSR, Registers.PQOF)).isEqualTo(1);
        rig.write(Registers.PQH, 0); // room alone does not start it again
      }
      case "fault" -> {
        rig.memory.inject(rig.pageRequestQueue(), 16, Failure.WRITE_ACCESS);
        send(-1, READ_LAST & ~4L);
        assertThat(rig.read(Registers.PQCSR, Registers.PQMF)).isEqualTo(1);
        rig.memory.clearInjections();
      }
      default -> throw new AssertionError(name);
    }
  }

  @Test
  void what_is_queued_software_answers() {
    dir().start();
    send(0xa_bcde, READ_LAST);
    send(-1, STOP);
    assertThat(rig.responses).isEmpty();
    assertThat(rig.read(Registers.PQT)).isEqualTo(2);
    long queue = rig.pageRequestQueue();
    assertThat(rig.memory.readLong(queue)).isEqualTo((long) DID << 40 | 0x7_abcd_e000L);
    assertThat(rig.memory.readLong(queue + 8)).isEqualTo(READ_LAST);
    // Without a process there is nothing of it.
    assertThat(rig.memory.readLong(queue + 16)).isEqualTo((long) DID << 40);
    assertThat(rig.memory.readLong(queue + 24)).isEqualTo(STOP);
  }

  @Test
  void dtf_hides_only_what_is_wrong_with_the_request() {
    Dir dir = dir();
    dir.words[DeviceContext.TC] = 1 | EN_ATS.mask() | DeviceContext.DTF.mask();
    dir.start();
    send(-1, READ_LAST);
    assertThat(rig.faults()).isEmpty();
    assertThat(rig.responses).hasSize(1);
    dir.words[DeviceContext.TC] |= 1L << 50;
    dir.store();
    rig.command(0x3);
    send(-1, READ_LAST);
    assertThat(rig.cause()).isEqualTo(Cause.DDT_ENTRY_MISCONFIGURED);
  }

  @Test
  void queueing_interrupts_and_errors_hold_the_interrupt() {
    dir().start();
    rig.write(Registers.PQCSR, 3);
    send(-1, READ_LAST);
    assertThat(rig.read(Registers.IPSR)).isEqualTo(8);
    rig.write(Registers.IPSR, 8);
    assertThat(rig.read(Registers.IPSR)).isZero();
    rig.write(Registers.PQH, 2);
    send(-1, READ_LAST);
    assertThat(rig.read(Registers.IPSR)).isEqualTo(8);
    rig.write(Registers.IPSR, 8);
    assertThat(rig.read(Registers.IPSR)).isEqualTo(8);
    rig.write(Registers.PQCSR, 3 | Registers.PQOF.mask());
    rig.write(Registers.IPSR, 8);
    assertThat(rig.read(Registers.IPSR)).isZero();
  }

  @Test
  void records_are_big_endian_if_the_unit_is() {
    for (var csr :
        new org.iommu4j.core.bits.Register[] {Registers.CQCSR, Registers.FQCSR, Registers.PQCSR}) {
      rig.write(csr, 0);
    }
    rig.write(Registers.FCTL, 1);
    rig.restarted(0);
    rig.queues();
    dir().tc(DeviceContext.SBE).start();
    send(5, READ_LAST);
    assertThat(rig.memory.readLong(rig.pageRequestQueue() + 8))
        .isEqualTo(Long.reverseBytes(READ_LAST));
  }

  @Test
  void a_response_names_the_segment_only_if_the_request_did() {
    rig.unit.pageRequest(new PageRequest(0x42, false, -1, 0, READ_LAST));
    assertThat(rig.responses.getFirst().segmented()).isFalse();
    assertThat(rig.responses.getFirst().source()).isEqualTo(0x42);
  }
}
