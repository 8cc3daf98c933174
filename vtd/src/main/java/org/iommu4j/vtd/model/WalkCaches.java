package org.iommu4j.vtd.model;

import org.iommu4j.core.CacheSettings;
import org.iommu4j.core.iotlb.Geometry;
import org.iommu4j.core.iotlb.Iotlb;

/**
 * What shortens walks: the paging-structure caches of both stages, which hold where the next table
 * is, and for nested translation second-stage leaves by guest address. §6.2.5. Their tags are those
 * of {@link Tags}.
 */
final class WalkCaches {
  /** Granted so far: everything. First stage: R/W, U/S; second stage: R, W. */
  static final int ALL = 7;

  final Iotlb firstStage;
  final Iotlb secondStage;

  /** Second-stage leaves by guest address, as {@link TlbData}: for first-stage tables. */
  final Iotlb guest;

  /** Second-stage entries that were not there, by guest address: only in caching mode. */
  final Iotlb absent;

  WalkCaches(Geometry geometry, boolean keepsFaults) {
    firstStage = new Iotlb(geometry);
    secondStage = new Iotlb(geometry);
    guest = new Iotlb(geometry);
    absent = new Iotlb(keepsFaults ? geometry : CacheSettings.NONE);
  }
}
