package org.iommu4j.riscv.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.DeviceContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages of devices: to interrupt files, and to files in memory (MRIF). AIA. */
class MessageFileTest {
  private static final long FILES = 0x2800_0000L;
  private static final int NID = 0x41d;

  private Rig rig;
  private DmaPort port;
  private long table;
  private long mrif;
  private long notice;

  @AfterEach
  void close() {
    port.close();
    rig.close();
  }

  /** A device whose guest has four interrupt files: 0 basic, 1 MRIF, 2 not valid, 3 wrong. */
  private Dir start(Rig.Builder builder) {
    rig = builder.build().queues();
    table = rig.frame();
    mrif = rig.frame() + 0x200;
    notice = rig.frame();
    entry(0, 7 | notice >>> 12 << 10, 0);
    entry(1, 3 | mrif >>> 9 << 7, notice >>> 12 << 10 | NID & 0x3ff | (NID & 0x400L) << 50);
    entry(3, 5, 0);
    port = rig.port(Dir.DID);
    return new Dir(rig).iohgatp(8, 7, Map39.second(rig).root).msi(table, 3, FILES >>> 12).start();
  }

  private void start() {
    start(Rig.with());
  }

  private void entry(int index, long low, long high) {
    rig.memory.writeLong(table + 16 * index, low);
    rig.memory.writeLong(table + 16 * index + 8, high);
  }

  private static long file(int index) {
    return FILES + 4096L * index;
  }

  /** The identities whose bit is pending. */
  private List<Integer> pending() {
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < 2048; i++) {
      if ((rig.memory.readLong(mrif + i / 64 * 16) >>> i % 64 & 1) != 0) {
        all.add(i);
      }
      assertThat(rig.memory.readLong(mrif + i / 64 * 16 + 8)).isZero();
    }
    return all;
  }

  private boolean noticed() {
    boolean was = rig.memory.readInt(notice) == NID;
    rig.memory.writeInt(notice, 0);
    return was;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 63, 64, 0x123, 2047})
  void an_identity_sets_its_bit_and_the_notice_follows(int identity) {
    start();
    assertThat(port.writeInt(file(1), identity)).isTrue();
    assertThat(pending()).containsExactly(identity);
    assertThat(noticed()).isTrue();
    // Again: the bit stays, the notice is sent again.
    assertThat(port.writeInt(file(1), identity)).isTrue();
    assertThat(pending()).containsExactly(identity);
    assertThat(noticed()).isTrue();
    assertThat(rig.faults()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void bits_of_others_stay_with_and_without_atomics(int amo) {
    start(Rig.with().with(Capabilities.AMO_MRIF, amo));
    port.writeInt(file(1), 5);
    port.writeInt(file(1), 6);
    assertThat(pending()).containsExactly(5, 6);
  }

  @ParameterizedTest
  @CsvSource({"0, 2048", "0, -1", "8, 1", "4092, 1", "4, 01000000"})
  void what_no_file_would_take_is_accepted_without_effect(int offset, String data) {
    start();
    int value = Integer.parseInt(data, offset == 4 ? 16 : 10);
    assertThat(port.writeInt(file(1) + offset, value)).isTrue();
    assertThat(pending()).isEmpty();
    assertThat(noticed()).isFalse();
    assertThat(rig.faults()).isEmpty();
  }

  @Test
  void big_endian_messages_are_taken_where_the_platform_has_them() {
    start(Rig.with().option("big_endian_msi", true));
    assertThat(port.writeInt(file(1) + 4, 0x2301_0000)).isTrue();
    assertThat(pending()).containsExactly(0x123);
    assertThat(noticed()).isTrue();
  }

  @Test
  void files_in_memory_and_notices_are_little_endian_whatever_the_unit_is() {
    rig = Rig.with().option("fctl", 1).build().queues();
    table = rig.frame();
    mrif = rig.frame();
    notice = rig.frame();
    entry(
        0,
        Long.reverseBytes(3 | mrif >>> 9 << 7),
        Long.reverseBytes(notice >>> 12 << 10 | NID & 0x3ff | (NID & 0x400L) << 50));
    port = rig.port(Dir.DID);
    new Dir(rig)
        .tc(DeviceContext.SBE)
        .iohgatp(8, 7, Map39.second(rig).root)
        .msi(table, 3, FILES >>> 12)
        .start();
    assertThat(port.writeInt(file(0), 0x123)).isTrue();
    assertThat(pending()).containsExactly(0x123);
    assertThat(noticed()).isTrue();
  }

  @Test
  void other_accesses_to_a_file_are_not_supported() {
    start();
    assertThat(port.writeLong(file(1), 1)).isFalse();
    assertThat(port.status()).isEqualTo(DmaPort.Status.ABORTED);
    assertThat(port.writeInt(file(1) + 2, 1)).isFalse();
    assertThat(port.write(file(1), new byte[] {1, 0})).isFalse();
    assertThat(port.compareAndSwapInt(file(1), 0, 1)).isFalse();
    assertThat(port.readInt(file(1))).isTrue();
    assertThat(port.value()).isZero();
    assertThat(port.readLong(file(1))).isFalse();
    assertThat(pending()).isEmpty();
    assertThat(rig.faults()).isEmpty();
  }

  @Test
  void a_notice_that_fails_is_a_fault_after_the_update() {
    start();
    rig.memory.inject(notice, 4, Failure.WRITE_ACCESS);
    assertThat(port.writeInt(file(1), 9)).isTrue();
    assertThat(pending()).containsExactly(9);
    List<Rig.Fault> faults = rig.faults();
    assertThat(faults).hasSize(1);
    assertThat(faults.getFirst().cause()).isEqualTo(Cause.IOMMU_MSI_WRITE_ACCESS_FAULT);
    assertThat(faults.getFirst().iotval()).isEqualTo(notice);
  }

  @Test
  void the_notice_comes_after_the_update() {
    start();
    List<List<Integer>> seen = new ArrayList<>();
    long page = 0x4000_0000L;
    rig.memory.addDevice(
        page,
        4096,
        new Mmio() {
          @Override
          public long read(long offset, int size) {
            return 0;
          }

          @Override
          public void write(long offset, int size, long value) {
            assertThat(offset).isZero();
            assertThat(size).isEqualTo(4);
            assertThat(value).isEqualTo(NID);
            seen.add(pending());
          }
        });
    entry(1, 3 | mrif >>> 9 << 7, page >>> 12 << 10 | NID & 0x3ff | (NID & 0x400L) << 50);
    assertThat(port.writeInt(file(1), 70)).isTrue();
    assertThat(seen).containsExactly(List.of(70));
  }

  @ParameterizedTest
  @CsvSource({"ACCESS, 264", "WRITE_ACCESS, 264", "POISON, 271"})
  void a_file_that_cannot_be_updated_is_a_fault_and_sends_no_notice(String failure, int cause) {
    start();
    rig.memory.inject(mrif + 0x10, 8, Failure.valueOf(failure));
    assertThat(port.writeInt(file(1), 64)).isFalse();
    assertThat(rig.cause().code()).isEqualTo(cause);
    assertThat(noticed()).isFalse();
    assertThat(port.writeInt(file(1), 0)).isTrue(); // another word of the file
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void dtf_hides_faults_of_files_whatever_is_cached(String cache) {
    Dir dir = start(Rig.with().option("cache", cache));
    dir.tc(DeviceContext.DTF).store();
    rig.invalidateAll();
    rig.memory.inject(mrif, 8, Failure.ACCESS);
    assertThat(port.writeInt(file(1), 1)).isFalse();
    assertThat(rig.faults()).isEmpty();
  }

  @Test
  void a_basic_entry_leads_to_a_page_for_reads_and_writes() {
    start();
    assertThat(port.writeInt(file(0) + 0x10, 3)).isTrue();
    assertThat(rig.memory.readInt(notice + 0x10)).isEqualTo(3);
    assertThat(port.readInt(file(0) + 0x10)).isTrue();
    assertThat(port.value()).isEqualTo(3);
    assertThat(port.fetch(file(0), new byte[4])).isFalse();
    assertThat(rig.cause()).isEqualTo(Cause.INSTRUCTION_ACCESS_FAULT);
  }

  @Test
  void a_message_tells_where_it_went() {
    start();
    InterruptDelivery out = new InterruptDelivery();
    InterruptRequest message = new InterruptRequest();
    assertThat(rig.unit.remap(message.set(Dir.DID, file(0), 17), out)).isTrue();
    assertThat(out.kind()).isEqualTo(InterruptDelivery.Kind.WRITTEN);
    assertThat(out.address()).isEqualTo(notice);
    assertThat(rig.memory.readInt(notice)).isEqualTo(17);
    assertThat(rig.unit.remap(message.set(Dir.DID, file(1), 18), out)).isTrue();
    assertThat(out.kind()).isEqualTo(InterruptDelivery.Kind.RECORDED);
    assertThat(out.address()).isEqualTo(mrif);
    assertThat(out.notice()).isEqualTo(notice);
    assertThat(rig.unit.remap(message.set(Dir.DID, file(1), 4096), out)).isTrue();
    assertThat(out.kind()).isEqualTo(InterruptDelivery.Kind.DISCARDED);
    assertThat(rig.unit.remap(message.set(Dir.DID, file(2), 1), out)).isFalse();
    assertThat(out.kind()).isEqualTo(InterruptDelivery.Kind.BLOCKED);
    assertThat(out.reason()).isEqualTo(Cause.MSI_PTE_NOT_VALID);
    assertThat(rig.unit.remap(message.set(Dir.DID ^ 1, file(0), 1), out)).isFalse();
    assertThat(out.reason()).isEqualTo(Cause.DDT_ENTRY_NOT_VALID);
    assertThat(rig.faults())
        .extracting(Rig.Fault::cause)
        .containsExactly(Cause.MSI_PTE_NOT_VALID, Cause.DDT_ENTRY_NOT_VALID);
  }

  @Test
  void a_message_at_the_end_of_a_page_does_not_reach_the_next() {
    start();
    InterruptDelivery out = new InterruptDelivery();
    rig.memory.writeInt(notice + 4096, 0x55);
    assertThat(rig.unit.remap(new InterruptRequest().set(Dir.DID, file(0) + 0xffe, -1), out))
        .isFalse();
    assertThat(rig.memory.readInt(notice + 4096)).isEqualTo(0x55);
    assertThat(rig.memory.readInt(notice + 0xffc)).isZero();
  }

  @Test
  void without_mrif_support_such_an_entry_is_wrong() {
    start(Rig.with().without(Capabilities.MSI_MRIF));
    assertThat(rig.access(Dir.DID, file(1), Access.WRITE)).isFalse();
    assertThat(rig.cause()).isEqualTo(Cause.MSI_PTE_MISCONFIGURED);
  }

  @Test
  void index_bits_are_those_at_the_ones_of_the_mask() {
    start();
    // Ones at bits 0, 1 and 12 of the page number: index 6 is at 29002.
    new Dir(rig).iohgatp(8, 7, Map39.second(rig).root).msi(table, 0x1003, 0x28000).start();
    entry(6, 7 | (notice + 4096) >>> 12 << 10, 0);
    rig.invalidateAll(7);
    assertThat(rig.access(Dir.DID, 0x2900_2abcL, Access.WRITE)).isTrue();
    assertThat(rig.translation.pa()).isEqualTo(notice + 4096 + 0xabc);
    assertThat(rig.access(Dir.DID, 0x2900_4000L, Access.WRITE)).isFalse();
    assertThat(rig.cause()).isEqualTo(Cause.WRITE_GUEST_PAGE_FAULT);
  }
}
