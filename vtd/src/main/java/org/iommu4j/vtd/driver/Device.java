package org.iommu4j.vtd.driver;

import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What the driver knows of one device. Guarded by {@link Contexts}. */
final class Device {
  final int source;

  /** What requests are subject to, by PASID; those that are blocked are absent. */
  final TreeMap<Integer, Space> spaces = new TreeMap<>();

  /** Domain ids that were in use since the context entry became present. */
  final TreeSet<Integer> dids = new TreeSet<>();

  /** Invalidations that failed: to be carried out before anything else. */
  final Descriptors owed;

  /** Null in legacy mode, and while nothing of the device is allowed. */
  @Nullable PasidDirectory directory;

  /** What caches may still refer to, as long as invalidations are owed. */
  @Nullable PasidDirectory orphan;

  /** The context entry is present. */
  boolean present;

  /** The device may keep translations in a cache of its own, as the context entry says. */
  boolean ats;

  /**
   * It left an invalidation unanswered, or could not be asked: no translations for its own cache
   * any more.
   */
  boolean distrusted;

  /** The PASIDs that it may hold translations of all the same. */
  final TreeSet<Integer> unanswered = new TreeSet<>();

  Device(int source, Plan plan) {
    this.source = source;
    this.owed = new Descriptors(plan);
  }
}
