package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.riscv.layout.Registers.CYCLES_OF;
import static org.iommu4j.riscv.layout.Registers.IOCOUNTINH;
import static org.iommu4j.riscv.layout.Registers.IOCOUNTOVF;
import static org.iommu4j.riscv.layout.Registers.IOHPMCTR;
import static org.iommu4j.riscv.layout.Registers.IOHPMCYCLES;
import static org.iommu4j.riscv.layout.Registers.IOHPMEVT;
import static org.iommu4j.riscv.layout.Registers.IPSR;
import static org.iommu4j.riscv.layout.Registers.PMIP;
import static org.iommu4j.riscv.model.Map39.USER;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.Registers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The performance monitor: what each event counts, filters, overflow, and the cycles. */
@Timeout(20)
class MonitorTest {
  private static final long IOVA = 0x40_0000L;
  private static final long GPA = 0x1_0000_0000L;
  private static final long OF = 1L << 63;
  private static final long IDT = 1L << 62;
  private static final long DV = 1L << 61;
  private static final long PV = 1L << 60;
  private static final long DMASK = 1 << 15;
  private static final int PSCID = 0x11;
  private static final int GSCID = 0x77;

  private final Rig rig = Rig.standard().queues();

  @AfterEach
  void close() {
    rig.close();
  }

  private void count(int n, long selector) {
    rig.write(IOHPMEVT.get(n), selector);
    rig.write(IOHPMCTR.get(n), 0);
  }

  private long counted(int n) {
    return rig.read(IOHPMCTR.get(n));
  }

  /** Two stages, both with small pages, and a process directory. */
  private void start() {
    Map39 second = Map39.second(rig).identity(Rig.MEMORY, Rig.SIZE).map(GPA, Rig.MEMORY, USER);
    Map39 first = Map39.first(rig).map(IOVA, GPA, USER);
    long pdt = rig.frame();
    rig.memory.writeLong(pdt + 16 * 5, 1 | PSCID << 12);
    rig.memory.writeLong(pdt + 16 * 5 + 8, 8L << 60 | first.root >>> 12);
    new Dir(rig)
        .tc(DeviceContext.PDTV, DeviceContext.EN_ATS)
        .fsc(1, pdt)
        .iohgatp(8, GSCID, second.root)
        .start();
  }

  private DmaRequest request() {
    return rig.request(Dir.DID, IOVA, Access.READ).pasid(5);
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1",
    "2, 0",
    "3, 0",
    "4, 1",
    "5, 3",
    "6, 1",
    "7, 3",
    // Second stage: the PDT entry and three first-stage entries through superpages, then the page.
    "8, 11"
  })
  void an_uncached_read_counts_what_it_reads(int event, int times) {
    start();
    count(0, event);
    assertThat(rig.translate(request())).isTrue();
    assertThat(counted(0)).isEqualTo(times);
    assertThat(rig.translate(request())).isTrue();
    assertThat(counted(0))
        .as("the second time from the cache")
        .isEqualTo(times + (event == 1 ? 1 : 0));
  }

  @Test
  void kinds_of_requests_are_counted_apart_and_faults_count() {
    for (int i = 0; i < 3; i++) {
      count(i, i + 1);
    }
    // The unit is Off: everything faults, and counts.
    rig.translate(request());
    rig.translate(request().addressType(AddressType.TRANSLATED));
    rig.translate(request().addressType(AddressType.TRANSLATED));
    rig.translate(request().addressType(AddressType.TRANSLATION_REQUEST));
    rig.write(Registers.TR_REQ_CTL, 0x9);
    assertThat(counted(0)).isEqualTo(2);
    assertThat(counted(1)).isEqualTo(2);
    assertThat(counted(2)).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    // event, filter bits, PID_PSCID, DID_GSCID: passes
    "1, P,   5,  0,     true",
    "1, P,   6,  0,     false",
    "1, D,   0,  12345, true",
    "1, D,   0,  12344, false",
    "1, DM,  0,  12344, true", // the lowest bit does not count
    "1, DM,  0,  12367, false",
    "1, PD,  5,  12345, true",
    "1, PD,  6,  12345, false",
    "1, I,   0,  0,     false", // requests have no address space
    "5, I,   0,  0,     false",
    "6, I,   0,  0,     false",
    "4, I,   0,  0,     true",
    "4, IP,  11, 0,     true",
    "4, IP,  12, 0,     false",
    "4, ID,  0,  77,    true",
    "4, ID,  0,  78,    false",
    "4, ID,  0,  10077, false",
    "4, IDM, 0,  76,    true",
    "7, IPD, 11, 77,    true",
    "7, IPD, 5,  77,    false",
    "8, ID,  0,  77,    true",
    "8, D,   0,  12345, true",
  })
  void filters(int event, String bits, String pid, String did, boolean passes) {
    start();
    count(
        0,
        event
            | (bits.contains("I") ? IDT : 0)
            | (bits.contains("P") ? PV : 0)
            | (bits.contains("D") ? DV : 0)
            | (bits.contains("M") ? DMASK : 0)
            | Long.parseLong(pid, 16) << 16
            | Long.parseLong(did, 16) << 36);
    assertThat(rig.translate(request())).isTrue();
    assertThat(counted(0) > 0).isEqualTo(passes);
  }

  @Test
  void a_mask_of_the_device_id_reaches_up_to_its_lowest_zero() {
    start();
    // 12345 under a mask that ignores bits 3:0, 7:0, 23:0.
    for (long id : new long[] {0x12347, 0x1237f, 0x7fffff, 0xffffff}) {
      count(0, 1 | DV | DMASK | id << 36);
      rig.translate(request());
      assertThat(counted(0)).as("%x", id).isEqualTo(1);
    }
    for (long id : new long[] {0x12357, 0x1227f, 0x3f}) {
      count(0, 1 | DV | DMASK | id << 36);
      rig.translate(request());
      assertThat(counted(0)).as("%x", id).isZero();
    }
  }

  @Test
  void a_filter_on_the_process_passes_no_request_without_one() {
    start();
    count(0, 1 | PV);
    rig.translate(request().pasid(DmaRequest.NO_PASID));
    assertThat(counted(0)).isZero();
  }

  @Test
  void an_overflow_interrupts_once_until_it_is_cleared() {
    rig.write(IOHPMEVT.getFirst(), 1);
    rig.write(IOHPMCTR.getFirst(), -1);
    rig.translate(request());
    assertThat(counted(0)).isZero();
    assertThat(rig.read(IOHPMEVT.getFirst())).isEqualTo(OF | 1);
    assertThat(rig.read(IOCOUNTOVF)).isEqualTo(2);
    assertThat(rig.read(IPSR, PMIP)).isEqualTo(1);
    rig.write(IPSR, PMIP.mask());
    assertThat(rig.read(IPSR, PMIP)).isZero();
    rig.write(IOHPMCTR.getFirst(), -1);
    rig.translate(request());
    assertThat(counted(0)).isZero();
    assertThat(rig.read(IPSR, PMIP)).isZero();
    rig.write(IOHPMEVT.getFirst(), 1);
    assertThat(rig.read(IOCOUNTOVF)).isZero();
    rig.write(IOHPMCTR.getFirst(), -1);
    rig.translate(request());
    assertThat(rig.read(IPSR, PMIP)).isEqualTo(1);
  }

  @Test
  void writing_the_overflow_bit_is_no_overflow() {
    rig.write(IOHPMEVT.get(4), OF | 1);
    rig.write(IOHPMCYCLES, OF);
    assertThat(rig.read(IOCOUNTOVF)).isEqualTo(1 << 5 | 1);
    assertThat(rig.read(IPSR, PMIP)).isZero();
  }

  @Test
  void a_narrow_counter_overflows_at_its_width() {
    try (Rig narrow = Rig.with().option("counter_bits", 32).build()) {
      narrow.write(IOHPMEVT.getFirst(), 1);
      narrow.write(IOHPMCTR.getFirst(), -1);
      assertThat(narrow.read(IOHPMCTR.getFirst())).isEqualTo(0xffff_ffffL);
      narrow.access(1, 0, Access.READ);
      assertThat(narrow.read(IOHPMCTR.getFirst())).isZero();
      assertThat(narrow.read(IPSR, PMIP)).isEqualTo(1);
    }
  }

  @Test
  void an_inhibited_counter_stands_still_and_the_others_count() {
    count(0, 1);
    count(1, 1);
    rig.write(IOCOUNTINH, 1 << 2);
    rig.translate(request());
    assertThat(counted(0)).isEqualTo(1);
    assertThat(counted(1)).isZero();
    rig.write(IOCOUNTINH, 0);
    rig.translate(request());
    assertThat(counted(1)).isEqualTo(1);
  }

  @Test
  void a_new_event_keeps_the_count() {
    count(0, 1);
    rig.translate(request());
    rig.write(IOHPMEVT.getFirst(), 2);
    rig.translate(request());
    assertThat(counted(0)).isEqualTo(1);
  }

  @Test
  void cycles_run_unless_inhibited() throws InterruptedException {
    long before = rig.read(IOHPMCYCLES);
    Thread.sleep(2);
    assertThat(rig.read(IOHPMCYCLES)).isGreaterThan(before);
    rig.write(IOCOUNTINH, 1);
    long stopped = rig.read(IOHPMCYCLES);
    Thread.sleep(2);
    assertThat(rig.read(IOHPMCYCLES)).isEqualTo(stopped);
    rig.write(IOHPMCYCLES, 1234);
    assertThat(rig.read(IOHPMCYCLES)).isEqualTo(1234);
    rig.write(IOCOUNTINH, 0);
    Thread.sleep(2);
    assertThat(rig.read(IOHPMCYCLES)).isGreaterThan(1234);
  }

  @Test
  void cycles_overflow_after_63_bits() throws InterruptedException {
    rig.write(IOHPMCYCLES, Long.MAX_VALUE - 1000);
    Thread.sleep(2);
    assertThat(rig.read(IOHPMCYCLES, CYCLES_OF)).isEqualTo(1);
    assertThat(rig.read(IOHPMCYCLES) & Long.MAX_VALUE).isLessThan(1L << 60);
    assertThat(rig.read(IOCOUNTOVF)).isEqualTo(1);
    assertThat(rig.read(IPSR, PMIP)).isEqualTo(1);
    // With OF set it is silent.
    rig.write(IPSR, PMIP.mask());
    rig.write(IOHPMCYCLES, -1000);
    Thread.sleep(2);
    assertThat(rig.read(IPSR, PMIP)).isZero();
  }

  @Test
  void hardware_updates_count_as_one_more_walk() {
    Map39 first = Map39.first(rig).map(IOVA, Rig.MEMORY, USER & ~Map39.A);
    new Dir(rig).tc(DeviceContext.SADE).fsc(8, first.root).start();
    count(0, 7);
    assertThat(rig.access(Dir.DID, IOVA, Access.READ)).isTrue();
    assertThat(counted(0)).isEqualTo(4);
  }
}
