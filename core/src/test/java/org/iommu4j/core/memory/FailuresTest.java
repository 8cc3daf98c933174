package org.iommu4j.core.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.core.memory.PhysicalMemory.OK;
import static org.iommu4j.core.memory.PhysicalMemory.POISONED;
import static org.iommu4j.core.memory.PhysicalMemory.VIOLATION;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Injected failures, and register pages within the address space. */
class FailuresTest {
  private final PhysicalMemory memory = new PhysicalMemory();
  private final RecordingDevice device = new RecordingDevice();

  FailuresTest() {
    memory.addAnonymous(0, 0x10_0000);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void a_failure_covers_exactly_the_bytes_named() {
    memory.inject(0x2010, 6, Failure.ACCESS);
    for (int at = 0x2000; at < 0x2020; at++) {
      boolean inside = at >= 0x2010 && at < 0x2016;
      assertThat(memory.status(at, 1, false)).isEqualTo(inside ? VIOLATION : OK);
      assertThat(memory.writeBytes(at, 1, 1)).isEqualTo(inside ? VIOLATION : OK);
    }
    assertThat(memory.status(0x2008, 8, false)).isEqualTo(OK);
    assertThat(memory.status(0x2009, 8, false)).isEqualTo(VIOLATION);
    assertThat(memory.writeLong(0x2010, 1)).isEqualTo(VIOLATION);
    assertThat(memory.writeLong(0x2018, 1)).isEqualTo(OK);
    assertThat(memory.readLong(0x2018)).isEqualTo(1);
  }

  @Test
  void each_kind_fails_in_its_own_way() {
    memory.inject(0x1000, 8, Failure.ACCESS);
    memory.inject(0x2000, 8, Failure.WRITE_ACCESS);
    memory.inject(0x3000, 8, Failure.POISON);
    assertThat(memory.status(0x1000, 8, false)).isEqualTo(VIOLATION);
    assertThat(memory.status(0x1000, 8, true)).isEqualTo(VIOLATION);
    assertThat(memory.status(0x2000, 8, false)).isEqualTo(OK);
    assertThat(memory.status(0x2000, 8, true)).isEqualTo(VIOLATION);
    assertThat(memory.status(0x3000, 8, false)).isEqualTo(POISONED);
    assertThat(memory.status(0x3000, 8, true)).isEqualTo(OK);
    byte[] bytes = new byte[16];
    assertThat(memory.read(0x2ff8, bytes, 0, 16)).isEqualTo(POISONED);
    assertThat(memory.write(0x2ff8, bytes, 0, 16)).isEqualTo(OK);
  }

  @Test
  void a_violation_counts_before_poison() {
    memory.inject(0x1000, 8, Failure.POISON);
    memory.inject(0x1008, 8, Failure.ACCESS);
    assertThat(memory.status(0x1000, 16, false)).isEqualTo(VIOLATION);
    assertThat(memory.status(0x1000, 8, false)).isEqualTo(POISONED);
  }

  @Test
  void the_fast_table_never_holds_a_failing_page() {
    MemoryRegion before = memory.region(0x5000);
    int version = memory.version();
    memory.inject(0x5123, 1, Failure.POISON);
    assertThat(memory.version()).isNotEqualTo(version);
    assertThat(memory.region(0x5000)).isSameAs(MemoryRegion.NONE);
    assertThat(memory.region(0x5ff8)).isSameAs(MemoryRegion.NONE);
    assertThat(memory.region(0x4ff8).holds(0x5000)).isFalse();
    assertThat(memory.region(0x6000).holds(0x5ff8)).isFalse();
    memory.clearInjections();
    assertThat(memory.region(0x5000).size()).isEqualTo(before.size());
    assertThat(memory.status(0x5123, 1, false)).isEqualTo(OK);
  }

  @Test
  void loading_an_image_passes_failures() {
    memory.inject(0x1000, 8, Failure.ACCESS);
    assertThat(memory.load(0x1000, new byte[] {1, 2})).isEqualTo(OK);
    assertThat(memory.load(0x20_0000, new byte[] {1})).isEqualTo(VIOLATION);
    memory.clearInjections();
    assertThat(memory.readInt(0x1000)).isEqualTo(0x0201);
  }

  @Test
  void failures_apply_to_sparse_memory() {
    try (PhysicalMemory sparse = PhysicalMemory.sparse(32)) {
      sparse.inject(0x7000, 4, Failure.WRITE_ACCESS);
      assertThat(sparse.writeInt(0x7000, 1)).isEqualTo(VIOLATION);
      assertThat(sparse.writeInt(0x7004, 1)).isEqualTo(OK);
      assertThat(sparse.readInt(0x7004)).isEqualTo(1);
    }
  }

  @Test
  void a_register_page_gets_offset_size_and_data() {
    memory.addDevice(0x8000_0000L, 0x1000, device);
    device.answer = 0x1122_3344_5566_7788L;
    assertThat(memory.isDevice(0x8000_0fffL)).isTrue();
    assertThat(memory.isDevice(0x8000_1000L)).isFalse();
    assertThat(memory.readLong(0x8000_0008L)).isEqualTo(0x1122_3344_5566_7788L);
    memory.writeInt(0x8000_0010L, -1);
    memory.writeBytes(0x8000_0021L, 0x1234, 1);
    byte[] bytes = new byte[2];
    memory.read(0x8000_0002L, bytes, 0, 2);
    memory.write(0x8000_0004L, bytes, 0, 2);
    assertThat(device.accesses)
        .containsExactly(
            "read 8/8", "write 10/4 ffffffff", "write 21/1 34", "read 2/2", "write 4/2 7788");
  }

  @Test
  void a_register_page_takes_natural_accesses_only() {
    memory.addDevice(0x8000_0000L, 0x1000, device);
    assertThat(memory.writeLong(0x8000_0004L, 1)).isEqualTo(VIOLATION);
    assertThat(memory.status(0x8000_0000L, 3, false)).isEqualTo(VIOLATION);
    assertThat(memory.status(0x8000_0000L, 16, false)).isEqualTo(VIOLATION);
    assertThat(memory.status(0x8000_0002L, 2, false)).isEqualTo(OK);
    assertThat(device.accesses).isEmpty();
  }

  @Test
  void a_register_page_hides_the_memory_beneath_it() {
    memory.addDevice(0x4000, 0x1000, device);
    assertThat(memory.region(0x4000)).isSameAs(MemoryRegion.NONE);
    assertThat(memory.writeLong(0x4000, 1)).isEqualTo(OK);
    assertThat(device.accesses).containsExactly("write 0/8 1");
    // An access that starts in memory and ends in the page reaches neither.
    byte[] bytes = new byte[0x2000];
    bytes[0] = 1;
    assertThat(memory.write(0x3000, bytes, 0, bytes.length)).isEqualTo(VIOLATION);
    assertThat(memory.write(0x3ffc, bytes, 0, 8)).isEqualTo(VIOLATION);
    assertThat(memory.write(0x4ffc, bytes, 0, 8)).isEqualTo(VIOLATION);
    assertThat(memory.readLong(0x3000)).isZero();
  }

  @Test
  void a_register_page_in_sparse_memory_does_the_same() {
    try (PhysicalMemory sparse = PhysicalMemory.sparse(32)) {
      sparse.addDevice(0x4000, 0x1000, device);
      assertThat(sparse.write(0x3000, new byte[0x2000], 0, 0x2000)).isEqualTo(VIOLATION);
      assertThat(sparse.writeInt(0x4000, 1)).isEqualTo(OK);
    }
    assertThat(device.accesses).hasSize(1);
  }

  @Test
  void register_pages_do_not_overlap() {
    memory.addDevice(0x4000, 0x1000, device);
    org.assertj.core.api.Assertions.assertThatThrownBy(
            () -> memory.addDevice(0x4800, 0x1000, device))
        .hasMessageContaining("overlaps");
  }

  @Test
  void a_unit_does_not_write_to_the_registers_of_a_unit() {
    Mmio registers =
        new Mmio() {
          @Override
          public long read(long offset, int size) {
            return 0;
          }

          @Override
          public void write(long offset, int size, long value) {
            throw new AssertionError("reached");
          }

          @Override
          public boolean ofUnit() {
            return true;
          }
        };
    memory.addDevice(0x4000, 0x1000, registers);
    memory.addDevice(0x5000, 0x1000, device);
    assertThat(memory.postInt(0x4000, 1)).isEqualTo(VIOLATION);
    assertThat(memory.postInt(0x5000, 1)).isEqualTo(OK);
    assertThat(memory.postInt(0x6000, 1)).isEqualTo(OK);
    assertThat(memory.readInt(0x6000)).isEqualTo(1);
    assertThat(device.accesses).containsExactly("write 0/4 1");
  }
}
