package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.layout.Registers.TR_REQ_CTL;
import static org.iommu4j.riscv.layout.Registers.TR_REQ_IOVA;
import static org.iommu4j.riscv.layout.Registers.TR_RESPONSE;
import static org.iommu4j.riscv.model.Map39.USER;

import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.Registers;
import org.iommu4j.riscv.layout.TransactionType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Translation through registers. §5. */
class DebugTest {
  private static final long READ = 0x9;
  private static final long WRITE = 0x1;
  private static final long EXECUTE = 0xd;
  private static final long IOVA = 0x4000_0000L;

  private final Rig rig = Rig.standard().queues();
  private final Map39 first = Map39.first(rig);

  @AfterEach
  void close() {
    rig.close();
  }

  private long ask(long iova, long control) {
    rig.write(TR_REQ_IOVA, iova);
    rig.write(TR_REQ_CTL, control | (long) Dir.DID << 40);
    assertThat(rig.read(TR_REQ_CTL, Registers.GO_BUSY)).isZero();
    return rig.read(TR_RESPONSE);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 80211000, 0, 20084400", // 4 KiB
    "0, 80210000, n, 20085e00", // 64 KiB
    "1, 80200000, 0, 200bfe00", // 2 MiB
    "2, 80000000, 0, 27fffe00", // 1 GiB
  })
  void the_answer_codes_the_size_into_the_page_number(
      int level, String pa, String napot, String response) {
    new Dir(rig).fsc(8, first.root).start();
    long target = Long.parseLong(pa, 16);
    long flags = napot.equals("n") ? USER | 1L << 63 | 8 << 10 : USER;
    first.map(IOVA, target, level, flags);
    assertThat(ask(IOVA, READ)).isEqualTo(Long.parseLong(response, 16));
  }

  @Test
  void the_answer_tells_the_memory_type() {
    new Dir(rig).fsc(8, first.root).start();
    first.map(IOVA, Rig.MEMORY, USER | 2L << 61);
    assertThat(ask(IOVA, READ) >>> 7 & 3).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({"9, 13, 2", "1, 15, 3", "d, 12, 1", "5, 15, 3"})
  void a_fault_is_recorded_as_that_of_an_untranslated_request(String control, int cause, int type) {
    new Dir(rig).fsc(8, first.root).start();
    assertThat(ask(IOVA + 0x123, Long.parseLong(control, 16))).isEqualTo(1);
    assertThat(rig.faults())
        .containsExactly(
            new Rig.Fault(
                Cause.of(cause), TransactionType.of(type), Dir.DID, 0, false, false, IOVA, 0));
  }

  @Test
  void permissions_are_checked_as_for_a_device() {
    new Dir(rig).fsc(8, first.root).start();
    first.map(IOVA, Rig.MEMORY, USER & ~Map39.W & ~Map39.X);
    assertThat(ask(IOVA, READ) & 1).isZero();
    assertThat(ask(IOVA, WRITE) & 1).isEqualTo(1);
    assertThat(ask(IOVA, EXECUTE) & 1).isEqualTo(1);
  }

  @Test
  void process_and_privilege_count_only_together() {
    long pdt = rig.frame();
    rig.memory.writeLong(pdt + 16 * 5, 1 | 2 | 0x11 << 12); // ENS
    rig.memory.writeLong(pdt + 16 * 5 + 8, 8L << 60 | first.root >>> 12);
    new Dir(rig).tc(DeviceContext.PDTV).fsc(1, pdt).start();
    first.map(IOVA, Rig.MEMORY, Map39.SUPERVISOR);
    long pid = 5L << 12;
    long pv = 1L << 32;
    long priv = 2;
    assertThat(ask(IOVA, READ | pid | pv | priv) & 1).isZero();
    assertThat(ask(IOVA, READ | pid | pv) & 1).isEqualTo(1);
    // Without PV both are ignored: no process, so no first stage.
    assertThat(ask(IOVA, READ | pid | priv) & 1).isZero();
    assertThat(rig.faults())
        .containsExactly(
            new Rig.Fault(
                Cause.READ_PAGE_FAULT,
                TransactionType.UNTRANSLATED_READ,
                Dir.DID,
                5,
                true,
                false,
                IOVA,
                0));
  }

  @Test
  void a_file_in_memory_is_no_address() {
    long table = rig.frame();
    rig.memory.writeLong(table, 3 | rig.frame() >>> 9 << 7);
    new Dir(rig).iohgatp(8, 1, Map39.second(rig).root).msi(table, 0, IOVA >>> 12).start();
    assertThat(ask(IOVA, WRITE)).isEqualTo(1);
    assertThat(rig.cause()).isEqualTo(Cause.TRANSACTION_TYPE_DISALLOWED);
    // A device may still write there.
    assertThat(rig.access(Dir.DID, IOVA, org.iommu4j.core.dma.Access.WRITE)).isTrue();
  }

  @Test
  void nothing_happens_without_go() {
    new Dir(rig).fsc(8, first.root).start();
    first.map(IOVA, Rig.MEMORY, USER);
    rig.write(TR_REQ_IOVA, IOVA);
    rig.write(TR_REQ_CTL, (long) Dir.DID << 40);
    assertThat(rig.read(TR_RESPONSE)).isZero();
    // In halves: the high one first, the low one with Go.
    rig.unit.write(0x264, 4, Dir.DID << 8);
    assertThat(rig.read(TR_RESPONSE)).isZero();
    rig.unit.write(0x260, 4, READ);
    assertThat(rig.read(TR_RESPONSE)).isEqualTo(Rig.MEMORY >>> 12 << 10);
  }

  @Test
  void an_update_of_the_tables_is_made_and_the_cache_is_used() {
    new Dir(rig).tc(DeviceContext.SADE).fsc(8, first.root).start();
    first.map(IOVA, Rig.MEMORY, USER & ~Map39.A & ~Map39.D);
    assertThat(ask(IOVA, WRITE) & 1).isZero();
    assertThat(rig.memory.readLong(first.slot(IOVA, 0)) & 0xff).isEqualTo(USER);
    rig.memory.writeLong(first.slot(IOVA, 0), 0);
    assertThat(ask(IOVA, READ) & 1).isZero();
  }

  @Test
  void identity_and_off() {
    rig.write(Registers.DDTP, 1);
    assertThat(ask(Rig.MEMORY, READ) & 1).isZero();
    rig.write(Registers.DDTP, 0);
    assertThat(ask(Rig.MEMORY, READ)).isEqualTo(1);
    assertThat(rig.cause()).isEqualTo(Cause.ALL_INBOUND_TRANSACTIONS_DISALLOWED);
  }
}
