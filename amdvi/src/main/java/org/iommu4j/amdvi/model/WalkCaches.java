package org.iommu4j.amdvi.model;

import org.iommu4j.core.CacheSettings;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.iotlb.Geometry;
import org.iommu4j.core.iotlb.Iotlb;

/**
 * What shortens walks: pointers to the last table of a walk, of guest tables by guest-virtual and
 * of host tables by device address, and host pages of guest tables. Their tags are those of {@link
 * Tags}.
 */
final class WalkCaches {
  // A pointer: where the next table is, at which level it is indexed, what was granted so far.
  private static final Field ENTRY_SHIFT = Field.bits("entry shift", 5, 0);
  private static final Field PRESENT = Field.bit("1", 6);
  private static final Field GRANTED = Field.bits("granted", 10, 7);
  private static final Field TABLE = Field.bits("table", 51, 12);

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
