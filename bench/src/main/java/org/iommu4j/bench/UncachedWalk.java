package org.iommu4j.bench;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.memory.MemoryRegion;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A walk through every table, against nothing but the loads of the same entries.
 *
 * <p>{@code walk} translates with a unit that caches nothing, not even the device's context. {@code
 * loads} reads the doublewords that the inspector says such a walk reads, at addresses noted
 * beforehand, each waiting for the one before it. In both, a request waits for the result of the
 * one before: what is compared is how long one walk takes, not how many fit side by side.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 6, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(3)
public class UncachedWalk {
  private static final ValueLayout.OfLong LE64 =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Architectures. */
  @Param({"riscv", "vtd", "amdvi"})
  public String architecture;

  /** Stages and levels. */
  @Param({"THREE_LEVELS", "FOUR_OVER_FOUR"})
  public Shape shape;

  /** Which addresses. */
  @Param({"CONSECUTIVE", "SCATTERED"})
  public Pages pages;

  private Machine machine;
  private Device device;
  private MemorySegment tables;
  private int steps;
  private int[] offsets;
  private byte[] words;

  /** 0, but the compiler does not know: what makes a load wait for a value. */
  private long zero;

  private long before;

  /** Tables, a unit without caches, and the addresses of all entries. */
  @Setup
  public void setUp() {
    machine = Machine.create(architecture, shape, pages, 4096, Map.of("cache", "off"));
    device = new Device(machine);
    note();
  }

  private void note() {
    Inspector inspector = machine.iommu().inspector();
    DmaRequest request = new DmaRequest().source(machine.source()).access(Access.READ);
    for (int n = 0; n < 4096; n++) {
      Inspector.Walk walk = inspector.walk(request.iova(pages.iova(n)));
      List<Inspector.Step> list = walk.steps();
      if (!walk.passes() || walk.pa() != machine.pa(n)) {
        throw new IllegalStateException(walk.outcome());
      }
      if (n == 0) {
        steps = list.size();
        offsets = new int[4096 * steps];
        words = new byte[steps];
        MemoryRegion region = machine.memory().region(list.get(0).address());
        tables = region.segment();
        base = region.base();
      }
      for (int i = 0; i < steps; i++) {
        offsets[n * steps + i] = Math.toIntExact(list.get(i).address() - base);
        words[i] = (byte) list.get(i).raw().size();
      }
    }
  }

  private long base;

  /** One translation, every entry read. */
  @Benchmark
  public long walk() {
    before = device.read(pages.iova(device.page()) + (before & zero));
    return before;
  }

  /** The loads of one translation. */
  @Benchmark
  public long loads() {
    long value = before;
    int at = device.page() * steps;
    for (int i = 0; i < steps; i++) {
      long offset = offsets[at + i] + (value & zero);
      value = tables.get(LE64, offset);
      // A structure of several words: none waits for another.
      for (int word = 1; word < words[i]; word++) {
        value ^= tables.get(LE64, offset + 8L * word);
      }
    }
    before = value;
    return value;
  }

  /** Frees the memory. */
  @TearDown
  public void tearDown() {
    machine.close();
  }
}
