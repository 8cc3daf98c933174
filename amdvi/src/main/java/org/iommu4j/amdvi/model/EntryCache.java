package org.iommu4j.amdvi.model;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The device table entry cache, direct-mapped; readers take no lock. A hit allocates nothing,
 * filling allocates one entry.
 *
 * <p>Fills of entries that were read before an invalidation started are refused, see {@link
 * org.iommu4j.core.iotlb.Iotlb}.
 */
final class EntryCache {
  private static final VarHandle ENTRY = MethodHandles.arrayElementVarHandle(DeviceEntry[].class);

  private final @Nullable DeviceEntry[] entries;
  private final int mask;
  private volatile long generation;

  EntryCache(int slots) {
    entries = new DeviceEntry[slots];
    mask = slots - 1;
  }

  /** The entry of a device, or null. */
  @Nullable DeviceEntry lookup(int deviceId) {
    DeviceEntry e = (DeviceEntry) ENTRY.getAcquire(entries, deviceId & mask);
    return e != null && e.deviceId == deviceId ? e : null;
  }

  long generation() {
    return generation;
  }

  /** Keeps a copy, unless something was invalidated since {@code seen}. */
  synchronized void fill(long seen, DeviceEntry entry) {
    if (generation == seen) {
      ENTRY.setRelease(entries, entry.deviceId & mask, new DeviceEntry().copyFrom(entry));
    }
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // all updates are synchronized
  synchronized void invalidate(int deviceId) {
    generation++;
    int at = deviceId & mask;
    DeviceEntry e = entries[at];
    if (e != null && e.deviceId == deviceId) {
      ENTRY.setRelease(entries, at, null);
    }
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // all updates are synchronized
  synchronized void invalidateAll() {
    generation++;
    for (int i = 0; i < entries.length; i++) {
      ENTRY.setRelease(entries, i, null);
    }
  }
}
