package org.iommu4j.vtd.model;

import org.iommu4j.core.iotlb.CacheBehaviour;
import org.jspecify.annotations.Nullable;

/** The interrupt entry cache, direct-mapped. §5.1.6. Its owner serialises. */
final class IrteCache {
  /** An entry as it was read. */
  record Entry(int index, long low, long high) {}

  private final @Nullable Entry[] entries;

  IrteCache(UnitConfig config) {
    int slots =
        switch (config.caches().behaviour()) {
          case OFF -> 0;
          case NORMAL -> 1024;
          case WORST_CASE -> 1 << 16; // every entry that there can be
        };
    entries = new Entry[config.caches().behaviour() == CacheBehaviour.OFF ? 0 : slots];
  }

  @Nullable Entry lookup(int index) {
    if (entries.length == 0) {
      return null;
    }
    Entry e = entries[index & entries.length - 1];
    return e != null && e.index == index ? e : null;
  }

  void fill(int index, long low, long high) {
    if (entries.length != 0) {
      entries[index & entries.length - 1] = new Entry(index, low, high);
    }
  }

  /** Removes entries whose indices agree but for their low {@code mask} bits; 16: all. */
  void invalidate(int index, int mask) {
    for (int i = 0; i < entries.length; i++) {
      Entry e = entries[i];
      if (e != null && (mask >= 16 || e.index >>> mask == index >>> mask)) {
        entries[i] = null;
      }
    }
  }
}
