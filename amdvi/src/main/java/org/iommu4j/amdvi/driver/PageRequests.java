package org.iommu4j.amdvi.driver;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.PprRecord;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageRequest;

/** What the PPR log tells. 48882, "Peripheral Page Request Logging". */
final class PageRequests {
  private static final int READ = 1;
  private static final int WRITE = 2;

  private final RecordRing ring;
  private final List<PageRequest> taken = new ArrayList<>();

  PageRequests(RecordRing ring) {
    this.ring = ring;
  }

  synchronized void start() {
    ring.start();
  }

  synchronized void stop() {
    ring.stop();
  }

  synchronized List<PageRequest> serve(List<String> conditions) {
    if (ring.take((first, second) -> taken.add(decode(first, second)))) {
      conditions.add("page request log: overflow, requests were lost (Status.PprOverflow)");
    }
    List<PageRequest> all = List.copyOf(taken);
    taken.clear();
    return all;
  }

  static PageRequest decode(long first, long second) {
    boolean pasid = PprRecord.GN.isSet(first);
    long payload =
        PprRecord.ADDRESS.in(second)
            | PprRecord.GROUP.get(first) << 3
            | PprRecord.LAST.get(first) << 2
            | (PprRecord.W.isSet(first) ? WRITE : 0)
            | (PprRecord.R.isSet(first) ? READ : 0);
    return new PageRequest(
        PprRecord.DEVICE_ID.getInt(first),
        false,
        pasid
            ? PprRecord.PASID_19_16.getInt(first) << 16 | PprRecord.PASID_15_0.getInt(first)
            : DmaRequest.NO_PASID,
        (pasid && !PprRecord.US.isSet(first) ? Access.PRIVILEGED : 0)
            | (PprRecord.EX.isSet(first) ? Access.EXECUTE : 0),
        payload);
  }

  static int group(PageRequest request) {
    return (int) (request.payload() >>> 3) & 0x1ff;
  }
}
