package org.iommu4j.riscv.model;

import org.iommu4j.core.dma.AtsInvalidation;
import org.jspecify.annotations.Nullable;

/**
 * Outstanding Invalidation Requests by ITag. PCIe ATS, "Invalidate Protocol"; RISC-V IOMMU §4.1.4.
 * Called with the command lock held.
 */
final class InvalidationTags {
  private final @Nullable AtsInvalidation[] busy;
  private final int[] received;
  private boolean timedOut;

  InvalidationTags(int tags) {
    busy = new AtsInvalidation[tags];
    received = new int[tags];
  }

  /** A free tag, or -1. */
  int free() {
    for (int i = 0; i < busy.length; i++) {
      if (busy[i] == null) {
        return i;
      }
    }
    return -1;
  }

  void start(AtsInvalidation request) {
    busy[request.tag()] = request;
    received[request.tag()] = 0;
  }

  boolean anyBusy() {
    for (AtsInvalidation request : busy) {
      if (request != null) {
        return true;
      }
    }
    return false;
  }

  /** Takes a completion; false if none of that kind is expected. */
  boolean complete(int source, boolean segmented, int tags, int count) {
    for (int i = 0; i < 32; i++) {
      if ((tags >>> i & 1) == 0) {
        continue;
      }
      AtsInvalidation request = i < busy.length ? busy[i] : null;
      if (request == null) {
        return false;
      }
      // A request without a segment is answered by routing id alone.
      boolean same =
          request.segmented()
              ? segmented && request.source() == source
              : (request.source() & 0xffff) == (source & 0xffff);
      if (!same) {
        return false;
      }
      received[i] = (received[i] + 1) & 7; // a count of 0 means 8
      if (received[i] == (count & 7)) {
        busy[i] = null;
      }
    }
    return true;
  }

  void timeOut(int tags) {
    for (int i = 0; i < busy.length; i++) {
      if ((tags >>> i & 1) != 0 && busy[i] != null) {
        busy[i] = null;
        timedOut = true;
      }
    }
  }

  /** Whether a request timed out since the last call. */
  boolean takeTimeout() {
    boolean was = timedOut;
    timedOut = false;
    return was;
  }
}
