package org.iommu4j.bench.stress;

import org.iommu4j.core.dma.AccessWindows;
import org.iommu4j.core.dma.Window;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** The windows alone: what is taken away before {@code drain} is not used after it. */
@JCStressTest
@Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "found it gone")
@Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "used it in time")
@Outcome(expect = Expect.FORBIDDEN, desc = "used it after the drain")
@State
public class WindowPromise {
  private final AccessWindows windows = new AccessWindows();
  private final Window window = windows.open();

  // Plain on purpose: the windows order them.
  private boolean gone;
  private int page = 1;

  /** A device. */
  @Actor
  public void device(I_Result r) {
    window.enter();
    r.r1 = gone ? 0 : page;
    window.exit();
  }

  /** The invalidator. */
  @Actor
  public void invalidator() {
    gone = true;
    windows.drain();
    page = 2;
  }
}
