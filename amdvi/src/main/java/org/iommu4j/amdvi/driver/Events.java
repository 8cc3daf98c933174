package org.iommu4j.amdvi.driver;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.iommu4j.amdvi.layout.EventCode;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.PprRecord;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.UnknownReason;

/** What the event log tells. 48882, "Event Logging". */
final class Events {
  private final RecordRing ring;
  private final DeviceTable table;
  private final List<Fault> faults = new ArrayList<>();
  private final List<String> conditions = new ArrayList<>();

  /** Devices that did not answer an invalidation. */
  private final Set<Integer> silent = new HashSet<>();

  /** How often the log has overflowed. */
  private int losses;

  Events(RecordRing ring, DeviceTable table) {
    this.ring = ring;
    this.table = table;
  }

  synchronized void start() {
    ring.start();
  }

  synchronized void stop() {
    ring.stop();
  }

  private void take() {
    if (ring.take(this::record)) {
      losses++;
      conditions.add("event log: overflow, events were lost (Status.EventOverflow)");
    }
  }

  private void record(long first, long second) {
    EventCode code = EventCode.of(EventRecord.CODE.getInt(first));
    if (code == EventCode.IOTLB_INV_TIMEOUT) {
      silent.add(EventRecord.DEVICE_ID.getInt(first));
      return;
    }
    if (code == EventCode.ILLEGAL_COMMAND_ERROR || code == EventCode.COMMAND_HARDWARE_ERROR) {
      return; // whoever submitted the command tells of it
    }
    boolean pageRequest = code == EventCode.INVALID_PPR_REQUEST;
    faults.add(pageRequest ? refused(first, second) : decode(first, second));
  }

  private Fault decode(long first, long second) {
    boolean interrupt = EventRecord.I.isSet(first);
    int access = EventRecord.RW.isSet(first) || interrupt ? Access.WRITE : Access.READ;
    String kind =
        interrupt
            ? "interrupt request"
            : EventRecord.TR.isSet(first)
                ? "translation request"
                : "untranslated " + Access.describe(access);
    int pasid =
        EventRecord.PASID_19_16.getInt(first) << 16 | EventRecord.DOMAIN_OR_PASID.getInt(first);
    return new Fault(
        reason(first),
        EventRecord.DEVICE_ID.getInt(first),
        EventRecord.GN.isSet(first) ? pasid : DmaRequest.NO_PASID,
        kind,
        access,
        second,
        0);
  }

  /** A page request that was refused: identity and flags are those of the PPR log. */
  private Fault refused(long first, long second) {
    PageRequest r = PageRequests.decode(first, second);
    int pasid = PprRecord.PASID_19_16.getInt(first) << 16 | PprRecord.PASID_15_0.getInt(first);
    return new Fault(
        reason(EventRecord.CODE.in(first)),
        r.source(),
        pasid == 0 ? r.pasid() : pasid, // units need not set GN here
        "page request",
        PprRecord.W.isSet(first) ? Access.WRITE : Access.READ,
        PprRecord.ADDRESS.in(second),
        0);
  }

  /** Causes with the same flags are many; whether the device is blocked, the driver knows. */
  private FaultReason reason(long first) {
    List<Reason> reasons = Reason.likeliest(first);
    if (reasons.contains(Reason.BLOCKED) && table.blocks(EventRecord.DEVICE_ID.getInt(first))) {
      return Reason.BLOCKED;
    }
    return reasons.isEmpty()
        ? new UnknownReason(EventRecord.CODE.getInt(first))
        : reasons.getFirst();
  }

  /** All faults since the last call; conditions are added to the list. */
  synchronized List<Fault> serve(List<String> to) {
    take();
    to.addAll(conditions);
    conditions.clear();
    List<Fault> all = List.copyOf(faults);
    faults.clear();
    return all;
  }

  /** How often events were lost, as far as is known; whatever came meanwhile may be among them. */
  synchronized int losses() {
    return losses;
  }

  /** Whether a device left an invalidation unanswered since this was last asked. */
  synchronized boolean silent(int source) {
    take();
    boolean was = silent.remove(source);
    if (was) {
      conditions.add(
          "device 0x%x did not answer an invalidation: it gets no translations any more"
              .formatted(source));
    }
    return was;
  }
}
