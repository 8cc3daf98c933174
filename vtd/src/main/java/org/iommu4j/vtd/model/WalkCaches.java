package org.iommu4j.vtd.model;

import org.iommu4j.core.CacheSettings;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.iotlb.Geometry;
import org.iommu4j.core.iotlb.Iotlb;

/**
 * What shortens walks: the paging-structure caches of both stages, which hold where the next table
 * is, and for nested translation second-stage leaves by guest address. §6.2.5. Their tags are those
 * of {@link Tags}.
 */
final class WalkCaches {
  // A pointer: where the next table is, at which level it is indexed, what was granted so far.
  private static final Field ENTRY_SHIFT = Field.bits("entry shift", 5, 0);
  private static final Field PRESENT = Field.bit("1", 6);
  private static final Field GRANTED = Field.bits("granted", 9, 7);
  private static final Field TABLE = Field.bits("table", 51, 12);

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

  static long pointer(long table, int entryShift, int granted) {
    return TABLE.in(table) | ENTRY_SHIFT.of(entryShift) | GRANTED.of(granted) | PRESENT.mask();
  }

  static int entryShift(long pointer) {
    return ENTRY_SHIFT.getInt(pointer);
  }

  static long table(long pointer) {
    return TABLE.in(pointer);
  }

  static int granted(long pointer) {
    return GRANTED.getInt(pointer);
  }
}
