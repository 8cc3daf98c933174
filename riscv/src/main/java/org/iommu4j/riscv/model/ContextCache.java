package org.iommu4j.riscv.model;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The directory caches: device contexts by device id, process contexts by device and process id.
 * §3.8.1. Direct-mapped; readers take no lock. A hit allocates nothing, filling allocates one
 * entry.
 *
 * <p>Fills of contexts that were read before an invalidation started are refused, see {@link
 * org.iommu4j.core.iotlb.Iotlb}.
 */
final class ContextCache {
  private static final VarHandle DC = MethodHandles.arrayElementVarHandle(DcEntry[].class);
  private static final VarHandle PC = MethodHandles.arrayElementVarHandle(PcEntry[].class);

  private final @Nullable DcEntry[] devices;
  private final @Nullable PcEntry[] processes;
  private final int deviceMask;
  private final int processMask;
  private volatile long generation;

  ContextCache(int deviceSlots, int processSlots) {
    devices = new DcEntry[deviceSlots];
    processes = new PcEntry[processSlots];
    deviceMask = deviceSlots - 1;
    processMask = processSlots - 1;
  }

  /** The context of a device, or null. */
  @Nullable DcEntry device(int deviceId) {
    DcEntry e = (DcEntry) DC.getAcquire(devices, deviceId & deviceMask);
    return e != null && e.deviceId == deviceId ? e : null;
  }

  /** The context of a process of a device, or null. */
  @Nullable PcEntry process(int deviceId, int processId) {
    PcEntry e = (PcEntry) PC.getAcquire(processes, slot(deviceId, processId));
    return e != null && e.deviceId == deviceId && e.processId == processId ? e : null;
  }

  private int slot(int deviceId, int processId) {
    return (processId ^ deviceId * 0x9E37_79B1) & processMask;
  }

  long generation() {
    return generation;
  }

  /** Keeps a copy of a device context, unless something was invalidated since {@code seen}. */
  synchronized void fill(long seen, DcEntry entry) {
    if (generation == seen) {
      DC.setRelease(devices, entry.deviceId & deviceMask, new DcEntry().copyFrom(entry));
    }
  }

  /** Keeps a copy of a process context, unless something was invalidated since {@code seen}. */
  synchronized void fill(long seen, PcEntry entry) {
    if (generation == seen) {
      PC.setRelease(
          processes, slot(entry.deviceId, entry.processId), new PcEntry().copyFrom(entry));
    }
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // all updates are synchronized
  synchronized void invalidateAll() {
    generation++;
    for (int i = 0; i < devices.length; i++) {
      DC.setRelease(devices, i, null);
    }
    for (int i = 0; i < processes.length; i++) {
      PC.setRelease(processes, i, null);
    }
  }

  /** Drops the context of a device and those of all its processes. */
  @SuppressWarnings("NonAtomicVolatileUpdate") // all updates are synchronized
  synchronized void invalidateDevice(int deviceId) {
    generation++;
    int at = deviceId & deviceMask;
    DcEntry d = devices[at];
    if (d != null && d.deviceId == deviceId) {
      DC.setRelease(devices, at, null);
    }
    for (int i = 0; i < processes.length; i++) {
      PcEntry p = processes[i];
      if (p != null && p.deviceId == deviceId) {
        PC.setRelease(processes, i, null);
      }
    }
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // all updates are synchronized
  synchronized void invalidateProcess(int deviceId, int processId) {
    generation++;
    int at = slot(deviceId, processId);
    PcEntry p = processes[at];
    if (p != null && p.deviceId == deviceId && p.processId == processId) {
      PC.setRelease(processes, at, null);
    }
  }
}
