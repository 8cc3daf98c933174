package org.iommu4j.bench.stress;

import org.iommu4j.core.iotlb.Geometry;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.iotlb.Replacement;
import org.iommu4j.core.iotlb.Scope;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.J_Result;

/** A walk that read the table before an invalidation does not fill the cache after it. */
@JCStressTest
@Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "nothing is cached")
@Outcome(id = "2", expect = Expect.ACCEPTABLE, desc = "the new entry is cached")
@Outcome(expect = Expect.FORBIDDEN, desc = "the old entry survived its invalidation")
@State
public class StaleFill {
  private static final long TAG = 5;
  private static final long IOVA = 0x1000;
  private static final int SHIFT = 12;
  private static final long OLD = 1;
  private static final long NEW = 2;

  private final Iotlb cache = new Iotlb(new Geometry(1, 1, Replacement.FIFO));
  private volatile long table = OLD;

  /** A device's walk. */
  @Actor
  public void walk() {
    long seen = cache.generation();
    cache.fill(seen, TAG, IOVA, SHIFT, table);
  }

  /** The kernel changes the table, then invalidates. */
  @Actor
  public void change() {
    table = NEW;
    cache.invalidate(new Scope().everything().tag(-1, TAG).iova(IOVA, IOVA));
  }

  /** What later accesses find. */
  @Arbiter
  public void later(J_Result r) {
    r.r1 = cache.lookup(TAG, IOVA);
  }
}
