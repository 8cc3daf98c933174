package org.iommu4j.cli;

import java.io.PrintStream;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * One line on standard error that tells what is going on, once it takes longer than two seconds and
 * only on a terminal; gone when it is closed.
 */
final class Progress implements AutoCloseable {
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(2);
  private static final long REFRESH = TimeUnit.MILLISECONDS.toNanos(250);
  private static final String ERASE = "\r\u001b[K";

  private final PrintStream err;
  private final long start = System.nanoTime();
  private final Thread thread;
  private volatile String text;
  private volatile boolean done;
  private boolean shown;

  /**
   * Starts the clock.
   *
   * @param visible whether the line may be shown at all
   */
  Progress(PrintStream err, boolean visible, String text) {
    this.err = err;
    this.text = text;
    thread = new Thread(this::show, "progress");
    thread.setDaemon(true);
    if (visible) {
      thread.start();
    }
  }

  /** Tells what is going on now. */
  void now(String what) {
    text = what;
  }

  private void show() {
    while (!done) {
      long passed = System.nanoTime() - start;
      if (passed > PATIENCE) {
        shown = true;
        err.print(ERASE + "iommu: " + text + ", " + TimeUnit.NANOSECONDS.toSeconds(passed) + " s");
        err.flush();
      }
      LockSupport.parkNanos(Math.max(REFRESH, PATIENCE - passed));
    }
    if (shown) {
      err.print(ERASE);
      err.flush();
    }
  }

  @Override
  public void close() {
    done = true;
    LockSupport.unpark(thread);
    try {
      thread.join(1000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
