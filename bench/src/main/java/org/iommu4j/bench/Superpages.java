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

/** IOTLB hits where pages of 4 KiB, 2 MiB and 1 GiB are cached side by side. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 6, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(3)
public class Superpages {
  private static final int COUNT = 3 * 128;

  /** Architectures. */
  @Param({"riscv", "vtd", "amdvi"})
  public String architecture;

  /** The size that is accessed: 0 4 KiB, 1 2 MiB, 2 1 GiB; 3 any. */
  @Param({"0", "1", "2", "3"})
  public int size;

  private Machine machine;
  private Device device;
  private long[] iovas;

  /** Tables and unit; every page is cached. */
  @Setup
  public void setUp() {
    machine = Machine.create(architecture, Shape.THREE_LEVELS, Pages.MIXED, COUNT, Map.of());
    device = new Device(machine);
    for (int n = 0; n < COUNT; n++) {
      device.read(machine.iova(n));
    }
    iovas = new long[128];
    for (int i = 0; i < 128; i++) {
      iovas[i] = machine.iova(3 * i + (size == 3 ? i % 3 : size));
    }
  }

  /** A random one of 128 pages. */
  @Benchmark
  public long translate() {
    return device.read(iovas[device.page() & 127]);
  }

  /** Frees the memory. */
  @TearDown
  public void tearDown() {
    machine.close();
  }
}
