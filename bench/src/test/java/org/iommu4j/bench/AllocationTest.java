package org.iommu4j.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.function.IntConsumer;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.RmpEntry;
import org.iommu4j.core.dma.DmaPort;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Translations and accesses allocate nothing, whether they hit, walk or are blocked. */
class AllocationTest {
  private static final int COUNT = 1_000_000;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Machine machine;

  @AfterEach
  void close() {
    machine.close();
  }

  @ParameterizedTest
  @CsvSource({
    "riscv, THREE_LEVELS, normal",
    "riscv, THREE_LEVELS, off",
    "riscv, THREE_LEVELS, worst-case",
    "riscv, FOUR_OVER_FOUR, normal",
    "riscv, FOUR_OVER_FOUR, off",
    "riscv, FOUR_OVER_FOUR, worst-case",
    "vtd, THREE_LEVELS, normal",
    "vtd, THREE_LEVELS, off",
    "vtd, THREE_LEVELS, worst-case",
    "vtd, FOUR_LEVELS, normal",
    "vtd, FOUR_OVER_FOUR, normal",
    "vtd, FOUR_OVER_FOUR, off",
    "vtd, FOUR_OVER_FOUR, worst-case",
    "amdvi, THREE_LEVELS, normal",
    "amdvi, THREE_LEVELS, off",
    "amdvi, THREE_LEVELS, worst-case",
    "amdvi, FOUR_LEVELS, normal",
    "amdvi, FOUR_OVER_FOUR, normal",
    "amdvi, FOUR_OVER_FOUR, off",
    "amdvi, FOUR_OVER_FOUR, worst-case"
  })
  void a_translation_allocates_nothing(String architecture, Shape shape, String cache) {
    machine = Machine.create(architecture, shape, Pages.CONSECUTIVE, 4096, Map.of("cache", cache));
    Device device = new Device(machine);
    assertThat(allocated(i -> device.read(machine.iova(device.page())))).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "riscv, 1, 1",
    "riscv, 64, 1",
    "riscv, 1, 64",
    "vtd, 1, 1",
    "vtd, 64, 1",
    "vtd, 1, 64",
    "amdvi, 1, 1",
    "amdvi, 64, 1",
    "amdvi, 1, 64"
  })
  void a_miss_and_its_fill_allocate_nothing(String architecture, int sets, int ways) {
    Map<String, String> small =
        Map.of(
            "iotlb.sets",
            "" + sets,
            "iotlb.ways",
            "" + ways,
            "walk_cache.sets",
            "1",
            "walk_cache.ways",
            "1");
    machine = Machine.create(architecture, Shape.FOUR_OVER_FOUR, Pages.CONSECUTIVE, 4096, small);
    Device device = new Device(machine);
    assertThat(allocated(i -> device.read(machine.iova(device.page())))).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "riscv, normal",
    "riscv, off",
    "riscv, worst-case",
    "vtd, normal",
    "vtd, off",
    "vtd, worst-case",
    "amdvi, normal",
    "amdvi, off",
    "amdvi, worst-case"
  })
  void a_word_through_a_port_allocates_nothing(String architecture, String cache) {
    machine =
        Machine.create(
            architecture, Shape.THREE_LEVELS, Pages.CONSECUTIVE, 4096, Map.of("cache", cache));
    Device device = new Device(machine);
    try (DmaPort port = new DmaPort(machine.iommu(), machine.memory(), machine.source())) {
      IntConsumer all =
          i -> {
            long iova = machine.iova(device.page());
            boolean ok =
                port.readLong(iova)
                    & port.writeLong(iova + 8, i)
                    & port.readInt(iova + 16)
                    & port.writeInt(iova + 20, i)
                    & port.compareAndSwapLong(iova + 24, i - 1, i)
                    & port.compareAndSwapInt(iova + 32, i - 1, i);
            assert ok;
          };
      assertThat(allocated(all)).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "riscv, normal",
    "riscv, off",
    "riscv, worst-case",
    "vtd, normal",
    "vtd, off",
    "vtd, worst-case",
    "amdvi, normal",
    "amdvi, off",
    "amdvi, worst-case"
  })
  void a_blocked_access_allocates_nothing(String architecture, String cache) {
    machine =
        Machine.create(
            architecture, Shape.THREE_LEVELS, Pages.CONSECUTIVE, 1, Map.of("cache", cache));
    try (DmaPort port = new DmaPort(machine.iommu(), machine.memory(), machine.source())) {
      assertThat(allocated(i -> port.readLong(machine.iova(1)))).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "THREE_LEVELS, normal",
    "THREE_LEVELS, off",
    "THREE_LEVELS, worst-case",
    "FOUR_OVER_FOUR, normal",
    "FOUR_OVER_FOUR, off"
  })
  void a_write_that_is_looked_up_in_the_reverse_map_table_allocates_nothing(
      Shape shape, String cache) {
    long base = 0x6000_0000L;
    long entries = base + RmpEntry.BOOKKEEPING_BYTES;
    long end = entries + (2L << 32 - 12 << 4) - 1; // for 8 GiB
    long efr =
        ExtendedFeatures.GT_SUP.of(1)
            | ExtendedFeatures.GIO_SUP.of(1)
            | ExtendedFeatures.IA_SUP.of(1)
            | ExtendedFeatures.HATS.of(2)
            | ExtendedFeatures.SNP_SUP.of(1);
    Map<String, String> options =
        Map.of(
            "cache",
            cache,
            "efr",
            "0x" + Long.toHexString(efr),
            "rmp_base",
            "" + base,
            "rmp_end",
            "" + end);
    machine = Machine.create("amdvi", shape, Pages.CONSECUTIVE, 4096, options);
    machine.memory().addAnonymous(base, end + 1 - base);
    Device device = new Device(machine);
    try (DmaPort port = new DmaPort(machine.iommu(), machine.memory(), machine.source())) {
      IntConsumer write =
          i -> {
            boolean ok = port.writeLong(machine.iova(device.page()), i);
            assert ok;
          };
      assertThat(allocated(write)).isZero();
      machine.memory().writeLong(entries + (machine.pa(5) >>> 12 << 4), RmpEntry.ASSIGNED.mask());
      assertThat(port.writeLong(machine.iova(5), 1)).isFalse();
      assertThat(allocated(i -> port.writeLong(machine.iova(5), i))).isZero();
    }
  }

  /**
   * Bytes that a million calls allocate once the compiler is through. What it needs until then
   * (escape analysis is its work) does not count, so a run that allocates is tried again.
   */
  private static long allocated(IntConsumer operation) {
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < 6 && least > 0; attempt++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < COUNT; i++) {
        operation.accept(i);
      }
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }
}
