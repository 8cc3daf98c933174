package org.iommu4j.bench;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.iommu4j.core.dma.DmaPort;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One and two device threads, each with its own port, at random over 4,096 pages of one unit, while
 * another thread invalidates a page every so often and waits for completion.
 *
 * <p>The invalidator sleeps in between: on a machine of two cores a busy one would take a core from
 * the devices, and the figure would tell about the scheduler.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 6, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(3)
public class DeviceThreads {
  /** Architectures. */
  @Param({"riscv", "vtd", "amdvi"})
  public String architecture;

  /** Between two invalidations; 0 for none at all. */
  @Param({"100"})
  public int microseconds;

  private final AtomicInteger started = new AtomicInteger();
  private Machine machine;
  private Thread invalidator;
  private volatile boolean stop;
  private long invalidations;

  /** Tables, unit and invalidator. */
  @Setup(Level.Trial)
  public void setUp() {
    machine = Machine.create(architecture, Shape.THREE_LEVELS, Pages.CONSECUTIVE, 4096, Map.of());
    invalidator =
        new Thread(
            () -> {
              for (int n = 0; !stop && microseconds > 0; n = n + 17 & 4095) {
                machine.invalidate(n);
                invalidations++;
                LockSupport.parkNanos(microseconds * 1000L);
              }
            });
    invalidator.start();
  }

  /** A device thread's own. */
  @State(Scope.Thread)
  public static class Port {
    Device device;
    DmaPort port;

    /** Opens the port. */
    @Setup(Level.Trial)
    public void setUp(DeviceThreads all) {
      device = new Device(all.machine);
      port = new DmaPort(all.machine.iommu(), all.machine.memory(), all.machine.source());
      for (int skip = all.started.getAndIncrement() * 1000; skip > 0; skip--) {
        device.page();
      }
    }
  }

  /** One thread. */
  @Benchmark
  @Threads(1)
  public long one(Port p) {
    return access(p);
  }

  /** Two threads. */
  @Benchmark
  @Threads(2)
  public long two(Port p) {
    return access(p);
  }

  private static long access(Port p) {
    if (!p.port.readLong(Pages.CONSECUTIVE.iova(p.device.page()))) {
      throw new IllegalStateException(String.valueOf(p.port.reason()));
    }
    return p.port.value();
  }

  /** Ends the invalidator. */
  @TearDown(Level.Trial)
  public void tearDown() throws InterruptedException {
    stop = true;
    LockSupport.unpark(invalidator);
    invalidator.join();
    System.out.println("invalidations: " + invalidations);
    machine.close();
  }
}
