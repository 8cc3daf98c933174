package org.iommu4j.core.dma;

import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;

/**
 * All windows of one unit, and the wait that makes "invalidation complete" true: when {@link
 * #drain} returns, no access that used a translation obtained before the call is in flight.
 *
 * <p>The order that counts: first the stale entries are removed from every cache, then {@code
 * drain}, then completion is reported.
 */
public final class AccessWindows {
  private volatile Window[] windows = {};

  /** A new window; close it with {@link #close} when the device goes. */
  public synchronized Window open() {
    Window[] next = Arrays.copyOf(windows, windows.length + 1);
    next[windows.length] = new Window();
    windows = next;
    return next[next.length - 1];
  }

  /** Forgets a window. */
  public synchronized void close(Window window) {
    windows = Arrays.stream(windows).filter(w -> w != window).toArray(Window[]::new);
  }

  /**
   * Waits until every access has left the window that it was in when this method was called. A
   * window of the calling thread itself is not waited for: a fault handler that runs inside a
   * device's access may invalidate.
   */
  public void drain() {
    // First of all: what the caller removed is gone before a window opened from here on looks.
    VarHandle.fullFence();
    if (windows.length == 0) {
      return;
    }
    if (Membarrier.AVAILABLE) {
      Membarrier.expedite();
    }
    Thread self = Thread.currentThread();
    for (Window w : windows) {
      long seen = w.observe();
      if ((seen & 1) != 0 && !w.ownedBy(self)) {
        await(w, seen);
      }
    }
  }

  private static void await(Window w, long seen) {
    for (int spins = 0; w.observe() == seen; spins++) {
      if (spins < 1_000) {
        Thread.onSpinWait();
      } else {
        // The device's thread lost its processor; give it one.
        LockSupport.parkNanos(10_000);
      }
    }
  }
}
