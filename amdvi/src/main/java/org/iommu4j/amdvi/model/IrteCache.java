package org.iommu4j.amdvi.model;

import java.util.Arrays;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.jspecify.annotations.Nullable;

/**
 * The interrupt remapping table cache, direct-mapped, by device and index. Its owner serialises.
 */
final class IrteCache {
  /** An entry as it was read. */
  record Entry(int deviceId, int index, long first, long second) {}

  private final @Nullable Entry[] entries;

  IrteCache(CacheBehaviour behaviour) {
    entries =
        new Entry
            [switch (behaviour) {
              case OFF -> 0;
              case NORMAL -> 1024;
              case WORST_CASE -> 1 << 16;
            }];
  }

  private int slot(int deviceId, int index) {
    return (index ^ deviceId * 0x9E37_79B1 >>> 8) & entries.length - 1;
  }

  @Nullable Entry lookup(int deviceId, int index) {
    if (entries.length == 0) {
      return null;
    }
    Entry e = entries[slot(deviceId, index)];
    return e != null && e.deviceId == deviceId && e.index == index ? e : null;
  }

  void fill(int deviceId, int index, long first, long second) {
    if (entries.length != 0) {
      entries[slot(deviceId, index)] = new Entry(deviceId, index, first, second);
    }
  }

  void invalidate(int deviceId) {
    for (int i = 0; i < entries.length; i++) {
      Entry e = entries[i];
      if (e != null && e.deviceId == deviceId) {
        entries[i] = null;
      }
    }
  }

  void invalidateAll() {
    Arrays.fill(entries, null);
  }
}
