package org.iommu4j.core.unit;

import org.iommu4j.core.dma.AtsInvalidation;
import org.jspecify.annotations.Nullable;

/**
 * Outstanding Invalidation Requests of a unit by ITag. PCIe ATS, "Invalidate Protocol". Not
 * thread-safe: the queue that sends the requests serialises.
 */
public final class InvalidationTags {
  private final @Nullable AtsInvalidation[] busy;
  private final int[] received;
  private @Nullable AtsInvalidation late;

  /**
   * No request outstanding.
   *
   * @param tags how many can be, 1..32
   */
  public InvalidationTags(int tags) {
    busy = new AtsInvalidation[tags];
    received = new int[tags];
  }

  /** A free tag, or -1. */
  public int free() {
    for (int i = 0; i < busy.length; i++) {
      if (busy[i] == null) {
        return i;
      }
    }
    return -1;
  }

  /** A request is sent under its tag, which was free. */
  public void start(AtsInvalidation request) {
    busy[request.tag()] = request;
    received[request.tag()] = 0;
  }

  /** Whether any request is outstanding. */
  public boolean anyBusy() {
    for (AtsInvalidation request : busy) {
      if (request != null) {
        return true;
      }
    }
    return false;
  }

  /**
   * Takes a completion.
   *
   * @param tags bit n: ITag n
   * @param count the completion count field
   * @return false if none of that kind is expected
   */
  public boolean complete(int source, boolean segmented, int tags, int count) {
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

  /** The time of the named requests is over: their tags are free again. */
  public void timeOut(int tags) {
    for (int i = 0; i < busy.length; i++) {
      AtsInvalidation request = busy[i];
      if ((tags >>> i & 1) != 0 && request != null) {
        busy[i] = null;
        late = request;
      }
    }
  }

  /** Forgets every outstanding request. */
  public void clear() {
    for (int i = 0; i < busy.length; i++) {
      busy[i] = null;
    }
  }

  /** The last request that timed out since this was last asked; null if none did. */
  public @Nullable AtsInvalidation takeTimeout() {
    AtsInvalidation was = late;
    late = null;
    return was;
  }
}
