package org.iommu4j.core.dma;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.DmaPort.Status;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.testing.ToyIommu;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DmaPortTest {
  private static final int RW = Access.READ | Access.WRITE;

  private final PhysicalMemory memory = new PhysicalMemory();
  private final ToyIommu iommu = new ToyIommu();
  private final DmaPort port = new DmaPort(iommu, memory, 0x42);

  DmaPortTest() {
    memory.addAnonymous(0x10_0000, 0x10_0000);
    iommu.map(0x1000, 0x12_0000, RW).map(0x2000, 0x15_0000, RW).map(0x3000, 0x13_0000, Access.READ);
  }

  @AfterEach
  void close() {
    port.close();
    memory.close();
  }

  @Test
  void reads_and_writes_go_where_the_translation_leads() {
    assertThat(port.writeLong(0x1008, 0x1122_3344_5566_7788L)).isTrue();
    assertThat(memory.readLong(0x12_0008)).isEqualTo(0x1122_3344_5566_7788L);
    assertThat(port.readLong(0x1008)).isTrue();
    assertThat(port.value()).isEqualTo(0x1122_3344_5566_7788L);
    assertThat(port.readInt(0x100c)).isTrue();
    assertThat(port.value()).isEqualTo(0x1122_3344L);
    assertThat(port.writeInt(0x2004, -1)).isTrue();
    assertThat(memory.readInt(0x15_0004)).isEqualTo(0xffff_ffffL);
    assertThat(port.status()).isEqualTo(Status.OK);
    assertThat(port.transferred()).isEqualTo(4);
  }

  @Test
  void an_access_across_pages_is_split_and_each_piece_translated() {
    assertThat(port.writeLong(0x1ffd, 0x1122_3344_5566_7788L)).isTrue();
    assertThat(memory.readBytes(0x12_0ffd, 3)).isEqualTo(0x66_7788L);
    assertThat(memory.readBytes(0x15_0000, 5)).isEqualTo(0x11_2233_4455L);
    assertThat(port.readLong(0x1ffd)).isTrue();
    assertThat(port.value()).isEqualTo(0x1122_3344_5566_7788L);
    byte[] data = new byte[0x2000];
    data[0] = 1;
    data[0x1fff] = 2;
    assertThat(port.write(0x1000, data)).isTrue();
    assertThat(port.transferred()).isEqualTo(0x2000);
    assertThat(memory.readBytes(0x15_0fff, 1)).isEqualTo(2);
    byte[] back = new byte[0x2000];
    assertThat(port.read(0x1000, MemorySegment.ofArray(back))).isTrue();
    assertThat(back).isEqualTo(data);
  }

  @Test
  void a_blocked_piece_ends_the_access_and_tells_how_far_it_came() {
    iommu.unmap(0x2000);
    assertThat(port.writeLong(0x1ffc, -1)).isFalse();
    assertThat(port.status()).isEqualTo(Status.BLOCKED);
    assertThat(port.reason()).isEqualTo(ToyIommu.Reason.NOT_MAPPED);
    assertThat(port.transferred()).isEqualTo(4);
    assertThat(memory.readInt(0x12_0ffc)).isEqualTo(0xffff_ffffL);
    assertThat(port.read(0x1800, new byte[0x1000])).isFalse();
    assertThat(port.transferred()).isEqualTo(0x800);
    assertThat(port.readLong(0x2000)).isFalse();
    assertThat(port.transferred()).isZero();
    assertThat(port.readInt(0x1000)).isTrue();
    assertThat(port.reason()).isNull();
  }

  @Test
  void the_unit_is_asked_for_what_the_access_needs() {
    assertThat(port.readLong(0x3000)).isTrue();
    assertThat(port.writeLong(0x3000, 1)).isFalse();
    assertThat(port.reason()).isEqualTo(ToyIommu.Reason.FORBIDDEN);
    assertThat(port.compareAndSwapLong(0x3000, 0, 1)).isFalse();
    assertThat(port.fetch(0x3000, new byte[4])).isFalse();
    assertThat(port.pasid(9).modifiers(Access.PRIVILEGED).readInt(0x3000)).isTrue();
    assertThat(port.addressType(AddressType.TRANSLATED).readInt(0x3000)).isTrue();
    assertThat(iommu.asked)
        .containsExactly(
            "read of 0x3000 by 0x42 (UNTRANSLATED)",
            "write of 0x3000 by 0x42 (UNTRANSLATED)",
            "atomic of 0x3000 by 0x42 (UNTRANSLATED)",
            "execute of 0x3000 by 0x42 (UNTRANSLATED)",
            "privileged read of 0x3000 by 0x42 pasid 9 (UNTRANSLATED)",
            "privileged read of 0x3000 by 0x42 pasid 9 (TRANSLATED)");
  }

  @Test
  void a_translation_to_nowhere_aborts() {
    iommu.map(0x5000, 0x90_0000, RW);
    assertThat(port.readLong(0x5000)).isFalse();
    assertThat(port.status()).isEqualTo(Status.ABORTED);
    assertThat(port.reason()).isNull();
    assertThat(port.writeLong(0x5000, 1)).isFalse();
    assertThat(port.status()).isEqualTo(Status.ABORTED);
    assertThat(port.write(0x5000, new byte[5])).isFalse();
    assertThat(port.status()).isEqualTo(Status.ABORTED);
  }

  @Test
  void poisoned_data_is_told_and_not_delivered() {
    memory.writeLong(0x12_0000, 7);
    memory.inject(0x12_0000, 8, Failure.POISON);
    assertThat(port.readLong(0x1000)).isFalse();
    assertThat(port.status()).isEqualTo(Status.POISONED);
    byte[] bytes = new byte[16];
    assertThat(port.read(0x1000, bytes)).isFalse();
    assertThat(port.status()).isEqualTo(Status.POISONED);
    assertThat(bytes).containsOnly(0);
    assertThat(port.writeLong(0x1000, 8)).isTrue();
    assertThat(port.compareAndSwapLong(0x1000, 8, 9)).isFalse();
    assertThat(port.status()).isEqualTo(Status.POISONED);
  }

  @Test
  void failures_and_regions_that_change_between_accesses_are_seen() {
    assertThat(port.readLong(0x1000)).isTrue();
    memory.inject(0x12_0000, 8, Failure.ACCESS);
    assertThat(port.readLong(0x1000)).isFalse();
    assertThat(port.writeLong(0x1000, 1)).isFalse();
    memory.clearInjections();
    assertThat(port.readLong(0x1000)).isTrue();
    MemoryRegion region = memory.regions().getFirst();
    memory.remove(region);
    assertThat(port.readLong(0x1000)).isFalse();
    assertThat(port.status()).isEqualTo(Status.ABORTED);
  }

  @Test
  void compare_and_swap_stores_only_what_was_expected_and_tells_what_was_there() {
    memory.writeLong(0x12_0010, 5);
    assertThat(port.compareAndSwapLong(0x1010, 4, 9)).isTrue();
    assertThat(port.value()).isEqualTo(5);
    assertThat(memory.readLong(0x12_0010)).isEqualTo(5);
    assertThat(port.compareAndSwapLong(0x1010, 5, 9)).isTrue();
    assertThat(port.value()).isEqualTo(5);
    assertThat(memory.readLong(0x12_0010)).isEqualTo(9);
    assertThat(port.compareAndSwapInt(0x1014, 0, -1)).isTrue();
    assertThat(port.value()).isZero();
    assertThat(port.compareAndSwapInt(0x1014, -1, 3)).isTrue();
    assertThat(port.value()).isEqualTo(0xffff_ffffL);
    assertThat(memory.readLong(0x12_0010)).isEqualTo(0x3_0000_0009L);
  }

  @Test
  void a_misaligned_swap_is_refused_by_the_bridge_before_it_is_translated() {
    assertThat(port.compareAndSwapLong(0x1004, 0, 1)).isFalse();
    assertThat(port.status()).isEqualTo(Status.ABORTED);
    assertThat(port.compareAndSwapInt(0x1002, 0, 1)).isFalse();
    assertThat(iommu.asked).isEmpty();
    assertThat(iommu.bridge)
        .containsExactly(
            "MISALIGNED atomic of 0x1004 by 0x42 (UNTRANSLATED)",
            "MISALIGNED atomic of 0x1002 by 0x42 (UNTRANSLATED)");
  }

  @Test
  void registers_are_accessed_after_the_window_has_closed() {
    List<String> accesses = new ArrayList<>();
    memory.addDevice(
        0x80_0000,
        0x1000,
        new Mmio() {
          @Override
          public long read(long offset, int size) {
            accesses.add("read " + offset + "/" + size);
            iommu.windows().drain(); // would never return for a window of another thread
            return 0x0807_0605_0403_0201L;
          }

          @Override
          public void write(long offset, int size, long value) {
            accesses.add("write " + offset + "/" + size + " " + Long.toHexString(value));
          }
        });
    iommu.map(0x7000, 0x80_0000, RW);
    assertThat(port.readLong(0x7008)).isTrue();
    assertThat(port.value()).isEqualTo(0x0807_0605_0403_0201L);
    assertThat(port.writeInt(0x7004, 5)).isTrue();
    assertThat(port.write(0x7001, new byte[] {1, 2, 3, 4, 5, 6, 7})).isTrue();
    byte[] bytes = new byte[3];
    assertThat(port.read(0x7010, bytes)).isTrue();
    assertThat(bytes).containsExactly(1, 2, 1);
    assertThat(accesses)
        .containsExactly(
            "read 8/8",
            "write 4/4 5",
            "write 1/1 1",
            "write 2/2 302",
            "write 4/4 7060504",
            "read 16/2",
            "read 18/1");
    assertThat(port.compareAndSwapLong(0x7000, 0, 1)).isFalse();
    assertThat(port.status()).isEqualTo(Status.ABORTED);
  }

  @Test
  void a_misaligned_access_to_registers_is_refused_by_the_bridge() {
    memory.addDevice(0x80_0000, 0x1000, new ToyIommu());
    iommu.map(0x7000, 0x80_0000, RW);
    assertThat(port.readInt(0x7002)).isFalse();
    assertThat(port.status()).isEqualTo(Status.ABORTED);
    assertThat(port.writeLong(0x7004, 1)).isFalse();
    assertThat(iommu.bridge)
        .containsExactly(
            "MISALIGNED read of 0x7002 by 0x42 (UNTRANSLATED)",
            "MISALIGNED write of 0x7004 by 0x42 (UNTRANSLATED)");
  }

  @Test
  void writes_to_message_files_are_the_units_business() {
    iommu.mapMessage(0x8000);
    assertThat(port.writeInt(0x8004, 0x55)).isTrue();
    assertThat(port.writeLong(0x8000, -2)).isTrue();
    assertThat(port.write(0x8008, new byte[] {1, 0, 0, 0})).isTrue();
    assertThat(iommu.messages).containsExactly("8004/4 55", "8000/8 fffffffffffffffe", "8008/4 1");
    iommu.messageOutcome = PhysicalMemory.VIOLATION;
    assertThat(port.writeInt(0x8000, 1)).isFalse();
    assertThat(port.status()).isEqualTo(Status.ABORTED);
    assertThat(port.compareAndSwapInt(0x8000, 0, 1)).isFalse();
    assertThat(port.status()).isEqualTo(Status.ABORTED);
  }

  @Test
  void message_files_read_as_zero_by_words_only() {
    iommu.mapMessage(0x8000);
    assertThat(port.readInt(0x8000)).isTrue();
    assertThat(port.value()).isZero();
    assertThat(port.readLong(0x8000)).isFalse();
    assertThat(port.status()).isEqualTo(Status.ABORTED);
    assertThat(port.readInt(0x8002)).isFalse();
  }

  @Test
  void an_access_at_the_end_of_the_address_space_goes_on_at_zero() {
    iommu.map(-4096, 0x11_0000, RW).map(0, 0x11_1000, RW);
    assertThat(port.writeLong(-4, 0x1111_2222_3333_4444L)).isTrue();
    assertThat(memory.readInt(0x11_0ffc)).isEqualTo(0x3333_4444L);
    assertThat(memory.readInt(0x11_1000)).isEqualTo(0x1111_2222L);
  }

  @Test
  void a_translation_that_holds_for_less_than_a_page_is_not_stretched() {
    iommu.mapSmall(0x9000, 0x12_0000, 6);
    assertThat(port.write(0x9030, new byte[0x90])).isTrue();
    assertThat(iommu.asked).hasSize(3);
  }

  @Test
  void a_port_without_a_unit_reaches_all_memory() {
    try (DmaPort direct = new DmaPort(null, memory, 1)) {
      assertThat(direct.writeLong(0x12_0008, 3)).isTrue();
      assertThat(direct.readLong(0x12_0008)).isTrue();
      assertThat(direct.value()).isEqualTo(3);
      assertThat(direct.compareAndSwapLong(0x12_0004, 0, 0)).isFalse();
      assertThat(direct.readLong(0x90_0000)).isFalse();
      assertThat(direct.status()).isEqualTo(Status.ABORTED);
    }
  }

  @Test
  void an_empty_transfer_asks_nothing() {
    assertThat(port.read(0x9000_0000L, new byte[0])).isTrue();
    assertThat(iommu.asked).isEmpty();
  }
}
