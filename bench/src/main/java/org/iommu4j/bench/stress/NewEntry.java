package org.iommu4j.bench.stress;

import java.util.concurrent.atomic.AtomicInteger;
import org.iommu4j.core.memory.EntryPair;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.memory.PhysicalMemory;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/**
 * A new entry of 16 bytes, of which software stores the second half before the first, which makes
 * it valid: who finds it valid finds all of it. (Of stores of 16 bytes, which Java has not, {@code
 * EntryPairTest} tells.)
 */
@JCStressTest
@Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "before")
@Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "half made and not valid")
@Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "after")
@Outcome(id = "1, 0", expect = Expect.FORBIDDEN, desc = "valid with a half of before")
@State
public class NewEntry {
  /** More than the states that are alive at a time. */
  private static final int ENTRIES = 1 << 20;

  private static final PhysicalMemory MEMORY = new PhysicalMemory();
  private static final MemoryRegion REGION =
      MEMORY.addAnonymous(0, (long) ENTRIES * EntryPair.BYTES);
  private static final AtomicInteger NEXT = new AtomicInteger();

  private final long at = (long) (NEXT.getAndIncrement() & ENTRIES - 1) * EntryPair.BYTES;
  private final EntryPair pair = new EntryPair();

  /** An entry that is not valid. */
  public NewEntry() {
    REGION.putLong(at, 0);
    REGION.putLong(at + 8, 0);
  }

  /** Software; a compare-and-exchange is what orders Java's stores to memory. */
  @Actor
  public void software() {
    REGION.compareAndExchangeLong(at + 8, 0, 1);
    REGION.compareAndExchangeLong(at, 0, 1);
  }

  /** The unit. */
  @Actor
  public void unit(JJ_Result r) {
    boolean read = pair.load(REGION, at);
    r.r1 = read ? pair.first() : 0;
    r.r2 = pair.second();
  }
}
