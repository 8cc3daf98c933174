package org.iommu4j.bench;

import java.util.concurrent.TimeUnit;
import org.iommu4j.core.dma.AccessWindows;
import org.iommu4j.core.dma.Window;
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
import org.openjdk.jmh.annotations.Warmup;

/** What the promise about invalidations costs its two sides. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 6, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(3)
public class WindowCost {
  /** Device threads that go in and out of their windows meanwhile. */
  @Param({"0", "1"})
  public int busy;

  private final AccessWindows windows = new AccessWindows();
  private Window window;
  private volatile boolean stop;
  private Thread[] threads;

  /** Opens windows. */
  @Setup(Level.Trial)
  public void setUp() {
    window = windows.open();
    threads = new Thread[busy];
    for (int i = 0; i < busy; i++) {
      Window w = windows.open();
      threads[i] =
          new Thread(
              () -> {
                while (!stop) {
                  w.enter();
                  w.exit();
                }
              });
      threads[i].start();
    }
  }

  /** The device's side: in and out. */
  @Benchmark
  public void enterAndExit() {
    window.enter();
    window.exit();
  }

  /** The invalidator's side. */
  @Benchmark
  public void drain() {
    windows.drain();
  }

  /** Ends the threads. */
  @TearDown(Level.Trial)
  public void tearDown() throws InterruptedException {
    stop = true;
    for (Thread t : threads) {
      t.join();
    }
  }
}
