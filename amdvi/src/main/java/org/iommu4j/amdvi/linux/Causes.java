package org.iommu4j.amdvi.linux;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.iommu4j.amdvi.layout.EventCode;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.UnknownReason;

/**
 * What can have caused an event: several causes have the same flags.
 *
 * @param all the likeliest first; never empty
 * @param remark what is odd about the event, empty or a sentence with a blank
 */
record Causes(List<FaultReason> all, String remark) {
  /**
   * Choice: QEMU's unit sets I in every page fault and puts what was asked for, 1 read and 2 write,
   * where GN and NX are; address and DomainID stay 0. No cause has I and GN or I and NX, so it can
   * be told.
   */
  private static final Causes OF_QEMU =
      new Causes(
          List.of(Reason.NOT_PRESENT, Reason.PERMISSION, Reason.BLOCKED),
          "QEMU's unit wrote it: its page faults tell neither the address nor the domain. ");

  private static final long NEVER_BY_QEMU =
      EventRecord.PR.mask()
          | EventRecord.RW.mask()
          | EventRecord.PE.mask()
          | EventRecord.RZ.mask()
          | EventRecord.TR.mask();

  static Causes of(EventCode event, long first) {
    if (isOfQemu(first)) {
      return OF_QEMU;
    }
    // A page request's flags are others, and have nothing to say about why it was refused.
    long told = event == EventCode.INVALID_PPR_REQUEST ? EventRecord.CODE.in(first) : first;
    List<Reason> exact = Reason.likeliest(told);
    if (!exact.isEmpty()) {
      return new Causes(List.copyOf(exact), "");
    }
    List<FaultReason> same = new ArrayList<>();
    for (Reason r : Reason.values()) {
      if (r.event() == event && r.isInterrupt() == EventRecord.I.isSet(first)) {
        same.add(r);
      }
    }
    if (same.isEmpty()) {
      same.addAll(Arrays.stream(Reason.values()).filter(r -> r.event() == event).toList());
    }
    return new Causes(
        same.isEmpty() ? List.of(new UnknownReason(event.code())) : List.copyOf(same),
        "No cause has these flags together; it may be one of the event's. ");
  }

  /** Whether an event is one of QEMU's page faults. */
  static boolean isOfQemu(long first) {
    return EventRecord.CODE.get(first) == EventCode.IO_PAGE_FAULT.code()
        && EventRecord.I.isSet(first)
        && (EventRecord.GN.isSet(first) || EventRecord.NX.isSet(first))
        && (first & NEVER_BY_QEMU) == 0;
  }

  /** All of them with what to look at. */
  String advice() {
    StringBuilder s = new StringBuilder(remark);
    for (int i = 0; i < all.size(); i++) {
      FaultReason r = all.get(i);
      s.append(i == 0 ? "" : "; or ").append(r.title()).append(": ").append(r.advice());
    }
    return s.append('.').toString();
  }
}
