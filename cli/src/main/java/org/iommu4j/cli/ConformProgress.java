package org.iommu4j.cli;

import java.io.PrintWriter;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.iommu4j.conformance.Conformance;
import org.iommu4j.conformance.FileReport;

/**
 * Hands finished files on and, if a run takes longer than two seconds and a person is looking at
 * standard error, says there how far it is.
 */
final class ConformProgress implements Conformance.Progress, AutoCloseable {
  private static final int STANDARD_ERROR = 2;
  private static final long PATIENCE_MS = 2_000;
  private static final long INTERVAL_MS = 250;

  /** Back to the first column, and clear the line. */
  private static final String CLEAR = "\r\u001b[K";

  private final PrintWriter err;
  private final Consumer<FileReport> files;
  private final LongAdder cases = new LongAdder();
  private final Thread ticker;
  private int filesDone;
  private boolean shown;

  ConformProgress(PrintWriter err, Consumer<FileReport> files) {
    this.err = err;
    this.files = files;
    this.ticker = Thread.ofVirtual().unstarted(this::tick);
    if (Console.isTerminal(STANDARD_ERROR, System.getenv())) {
      ticker.start();
    }
  }

  @Override
  public synchronized void file(FileReport report) {
    clear();
    filesDone++;
    files.accept(report);
  }

  @Override
  public void caseDone() {
    cases.increment();
  }

  private void tick() {
    try {
      Thread.sleep(PATIENCE_MS);
      while (true) {
        show();
        Thread.sleep(INTERVAL_MS);
      }
    } catch (InterruptedException e) {
      // The run is over.
    }
  }

  private synchronized void show() {
    err.print(CLEAR + "iommu: %,d cases, %d files done ".formatted(cases.sum(), filesDone));
    err.flush();
    shown = true;
  }

  private synchronized void clear() {
    if (shown) {
      err.print(CLEAR);
      err.flush();
      shown = false;
    }
  }

  @Override
  public void close() {
    ticker.interrupt();
    try {
      if (ticker.getState() != Thread.State.NEW) {
        ticker.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    clear();
  }
}
