package org.iommu4j.bench;

import java.util.Map;
import java.util.concurrent.TimeUnit;
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

/** Random reads over 4,096 mapped pages (16 MiB), caches as they are by default. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 6, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(3)
public class RandomPages {
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

  /** Tables and unit. */
  @Setup
  public void setUp() {
    machine = Machine.create(architecture, shape, pages, 4096, Map.of());
    device = new Device(machine);
  }

  /** {@code Iommu.translate} of a random page. */
  @Benchmark
  public long translate() {
    return device.read(pages.iova(device.page()));
  }

  /** Frees the memory. */
  @TearDown
  public void tearDown() {
    machine.close();
  }
}
