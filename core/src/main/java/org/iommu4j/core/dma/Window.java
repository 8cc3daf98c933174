package org.iommu4j.core.dma;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The accounted window of one device thread: between {@link #enter} and {@link #exit} the thread
 * may use a translation. {@link AccessWindows#drain} waits for it.
 *
 * <p>One thread uses a window at a time; it may be handed to another in between. Windows do not
 * nest. Inside, do nothing that can wait for another thread.
 */
public final class Window {
  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(Window.class, "state", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  // The padding keeps the windows of two threads in different cache lines.
  @SuppressWarnings("unused")
  private long p0, p1, p2, p3, p4, p5, p6;

  /** Odd: inside. Counts up, so that a drainer can tell "still inside" from "inside again". */
  @SuppressWarnings("unused") // through STATE
  private long state;

  private @Nullable Thread owner;

  @SuppressWarnings("unused")
  private long q0, q1, q2, q3, q4, q5, q6;

  Window() {}

  /** Opens the window: translations obtained from now on are waited for. */
  public void enter() {
    Thread current = Thread.currentThread();
    if (owner != current) {
      owner = current;
    }
    STATE.setOpaque(this, state + 1);
    if (Membarrier.AVAILABLE) {
      // Orders for the compiler only; the drainer's membarrier(2) orders the processors.
      VarHandle.acquireFence();
    } else {
      VarHandle.fullFence();
    }
  }

  /** Closes the window: every access made inside happens before a later {@code drain} returns. */
  public void exit() {
    STATE.setRelease(this, state + 1);
  }

  long observe() {
    return (long) STATE.getAcquire(this);
  }

  boolean ownedBy(Thread thread) {
    return owner == thread;
  }
}
