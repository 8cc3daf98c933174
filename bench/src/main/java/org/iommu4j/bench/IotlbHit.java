package org.iommu4j.bench;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.iommu4j.core.dma.DmaPort;
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

/** One page, always cached: the least that a translation and an access cost. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 6, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(3)
public class IotlbHit {
  /** Architectures. */
  @Param({"riscv", "vtd", "amdvi"})
  public String architecture;

  private Machine machine;
  private Device device;
  private DmaPort port;
  private long iova;

  /** Tables, unit, port. */
  @Setup
  public void setUp() {
    machine = Machine.create(architecture, Shape.THREE_LEVELS, Pages.CONSECUTIVE, 1, Map.of());
    device = new Device(machine);
    port = new DmaPort(machine.iommu(), machine.memory(), machine.source());
    iova = machine.iova(0) + 0x128;
  }

  /** {@code Iommu.translate} alone. */
  @Benchmark
  public long translate() {
    return device.read(iova);
  }

  /** An 8-byte read through a port: window, translation, load. */
  @Benchmark
  public long portRead() {
    return port.readLong(iova) ? port.value() : -1;
  }

  /** An 8-byte write through a port. */
  @Benchmark
  public boolean portWrite() {
    return port.writeLong(iova, 1);
  }

  /** Frees the memory. */
  @TearDown
  public void tearDown() {
    port.close();
    machine.close();
  }
}
