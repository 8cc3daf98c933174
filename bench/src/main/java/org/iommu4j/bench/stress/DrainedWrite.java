package org.iommu4j.bench.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZJ_Result;

/** A page is unmapped, then reused: a device never overwrites what its new owner put there. */
@JCStressTest
@Outcome(id = "true, 2", expect = Expect.ACCEPTABLE, desc = "written before, then reused")
@Outcome(id = "false, 2", expect = Expect.ACCEPTABLE, desc = "blocked")
@Outcome(expect = Expect.FORBIDDEN, desc = "written through a mapping that was gone")
@State
public class DrainedWrite {
  private final int page = StressMachine.mapPage();

  /** The device. */
  @Actor
  public void device(ZJ_Result r) {
    r.r1 = StressMachine.write(page, StressMachine.DIRTY);
  }

  /** The kernel. */
  @Actor
  public void kernel() {
    StressMachine.unmapAndReuse(page);
  }

  /** What the new owner finds. */
  @Arbiter
  public void owner(ZJ_Result r) {
    r.r2 = StressMachine.content(page);
  }
}
