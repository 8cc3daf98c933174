package org.iommu4j.amdvi.model;

import org.iommu4j.core.CacheSettings;
import org.iommu4j.core.iotlb.Geometry;
import org.iommu4j.core.iotlb.Iotlb;

/**
 * What shortens walks: pointers to the last table of a walk, of guest tables by guest-virtual and
 * of host tables by device address, and host pages of guest tables. Their tags are those of {@link
 * Tags}.
 */
final class WalkCaches {
  /** Granted so far: everything. */
  static final int ALL = 15;

  final Iotlb guest;
  final Iotlb host;

  /** Host pages by device address, as {@link TlbData}: for guest tables. */
  final Iotlb tables;

  /** Host entries that were not there, by device address: only with NpCache. */
  final Iotlb absent;

  WalkCaches(Geometry geometry, boolean keepsAbsent) {
    guest = new Iotlb(geometry);
    host = new Iotlb(geometry);
    tables = new Iotlb(geometry);
    absent = new Iotlb(keepsAbsent ? geometry : CacheSettings.NONE);
  }
}
