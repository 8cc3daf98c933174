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

  /** Response code "invalid request". */
  private static final int INVALID = 1;

  private final RecordRing ring;
  private final CommandRing commands;
  private final List<PageRequest> taken = new ArrayList<>();

  PageRequests(RecordRing ring, CommandRing commands) {
    this.ring = ring;
    this.commands = commands;
  }

  synchronized void start() {
    ring.start();
  }

  synchronized void stop() {
    ring.stop();
  }

  /**
   * All requests since the last call. Those that cannot be understood are refused at once: a device
   * waits for every group.
   */
  synchronized List<PageRequest> serve(List<String> conditions) {
    Batch refusals = new Batch();
    boolean lost = ring.take((first, second) -> take(first, second, refusals, conditions));
    if (lost) {
      conditions.add("page request log: overflow, requests were lost (Status.PprOverflow)");
    }
    if (!refusals.isEmpty()) {
      commands.run(refusals);
    }
    List<PageRequest> all = List.copyOf(taken);
    taken.clear();
    return all;
  }

  private void take(long first, long second, Batch refusals, List<String> conditions) {
    if (PprRecord.CODE.get(first) != PprRecord.PAGE_SERVICE_REQUEST) {
      conditions.add(
          "page request log: PPRCode %d, which does not exist"
              .formatted(PprRecord.CODE.get(first)));
      return;
    }
    PageRequest request = decode(first, second);
    if (!PprRecord.RZ.isSet(first)) {
      taken.add(request);
      return;
    }
    conditions.add(
        "page request log: device 0x%x sent a request with reserved bits (RZ)"
            .formatted(request.source()));
    if (PprRecord.LAST.isSet(first)) {
      refusals.respond(request.source(), request.pasid(), group(request), INVALID);
    }
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
