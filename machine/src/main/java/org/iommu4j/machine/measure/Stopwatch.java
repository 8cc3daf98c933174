package org.iommu4j.machine.measure;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.iommu4j.driver.Workload;

/** Time and allocation of the current thread. */
final class Stopwatch implements Workload.Clock {
  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private long startNanos;
  private long startBytes;
  private long nanos;
  private long bytes;

  @Override
  public void start() {
    startBytes = threads.getCurrentThreadAllocatedBytes();
    startNanos = System.nanoTime();
  }

  @Override
  public void stop() {
    nanos += System.nanoTime() - startNanos;
    bytes += threads.getCurrentThreadAllocatedBytes() - startBytes;
  }

  void reset() {
    nanos = 0;
    bytes = 0;
  }

  long nanos() {
    return nanos;
  }

  long bytes() {
    return bytes;
  }
}
