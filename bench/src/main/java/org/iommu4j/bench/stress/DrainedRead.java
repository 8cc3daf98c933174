package org.iommu4j.bench.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** A page is unmapped, then reused: a device never reads what its new owner put there. */
@JCStressTest
@Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "blocked")
@Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "read before, then blocked")
@Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "read before, twice")
@Outcome(expect = Expect.FORBIDDEN, desc = "read through a mapping that was gone")
@State
public class DrainedRead {
  private final int page = StressMachine.mapPage();

  /** The device: the second read is most often an IOTLB hit. */
  @Actor
  public void device(JJ_Result r) {
    r.r1 = StressMachine.read(page);
    r.r2 = StressMachine.read(page);
  }

  /** The kernel. */
  @Actor
  public void kernel() {
    StressMachine.unmapAndReuse(page);
  }
}
