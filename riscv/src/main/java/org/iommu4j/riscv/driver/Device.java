package org.iommu4j.riscv.driver;

import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the driver knows of one device. Guarded by {@link Contexts}. */
final class Device {
  final int source;

  /** Address of the device context. */
  final long at;

  /** What the device context says, as far as it is valid: all 0 if it is not. */
  long[] words;

  /**
   * A context that is invalid in memory and that caches may still hold, because commands failed.
   */
  long @Nullable [] unforgotten;

  /** Requests without PASID. */
  Use base = Use.BLOCKED;

  /** Requests with a PASID; those that are blocked are absent. */
  final TreeMap<Integer, Use> pasids = new TreeMap<>();

  @Nullable ProcessDirectory directory;

  /** What {@link #unforgotten} refers to. */
  @Nullable ProcessDirectory orphan;

  /** It left an invalidation unanswered: no translations for its own cache any more. */
  boolean distrusted;

  Device(int source, long at, int words) {
    this.source = source;
    this.at = at;
    this.words = new long[words];
  }

  boolean inUse() {
    return base.allowed() || !pasids.isEmpty();
  }
}
