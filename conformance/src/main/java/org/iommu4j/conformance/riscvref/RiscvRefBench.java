package org.iommu4j.conformance.riscvref;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.conformance.Bench;
import org.iommu4j.conformance.Difference;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.memory.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/** What a case of this format runs on: all of 2^64 bytes exists and is zero (FORMAT §2). */
final class RiscvRefBench extends Bench {
  private final FaultQueue faults = new FaultQueue(this);
  private final Map<String, Integer> tags = new HashMap<>(4);
  private int tailBeforeDebugRequest;

  RiscvRefBench(Architecture architecture, Options options) {
    super(architecture, options, PhysicalMemory.sparse(64));
  }

  FaultQueue faults() {
    return faults;
  }

  /** Binds a vector's name to the ITag that the unit chose. */
  void bind(String name, int tag) {
    tags.put(name, tag);
  }

  /** The bits of the named ITags; a name that was never bound is the vector's mistake. */
  int tagVector(List<String> names) {
    int vector = 0;
    for (String name : names) {
      Integer tag = tags.get(name);
      if (tag == null) {
        throw new IllegalStateException("tag " + name + " was not bound by an expect-message step");
      }
      vector |= 1 << tag;
    }
    return vector;
  }

  /** Notes the fault queue's tail, because a debug translation request is about to be made. */
  void debugRequestComes() {
    tailBeforeDebugRequest = faults.tail();
  }

  int tailBeforeDebugRequest() {
    return tailBeforeDebugRequest;
  }

  @Override
  public List<Difference> inMemory(
      long pa, byte[] expected, byte[] actual, byte @Nullable [] mask) {
    List<Difference> found = super.inMemory(pa, expected, actual, mask);
    if (!faults.holds(pa, expected.length)) {
      return found;
    }
    List<Difference> all = new ArrayList<>(found);
    all.addAll(
        faults.decode(expected).compare("fault record.", faults.decode(actual), architecture()));
    return all;
  }
}
