package org.iommu4j.amdvi.driver;

import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the driver knows of one device. Guarded by {@link Contexts}. */
final class Device {
  final int source;

  /** With guest tables: what caches tag its translations with. */
  final int domainId;

  /** What requests are subject to, by PASID; those that are blocked are absent. */
  final TreeMap<Integer, Space> spaces = new TreeMap<>();

  /** Invalidations that failed: to be carried out before anything else. */
  final Batch owed = new Batch();

  /** What is owed includes invalidations of its own cache. */
  boolean owesAnswer;

  @Nullable ProcessTable processes;

  /** The device may keep translations in a cache of its own, as its entry says. */
  boolean ats;

  /** It left an invalidation unanswered: no translations for its own cache any more. */
  boolean distrusted;

  Device(int source, int domainId) {
    this.source = source;
    this.domainId = domainId;
  }
}
