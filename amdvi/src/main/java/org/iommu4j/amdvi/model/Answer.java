package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.EventCode;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.Completion;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Translation;

/**
 * How a request ends that the quick path leaves to the full process: what its device is told, and
 * what software is told of it.
 */
final class Answer {
  private Answer() {}

  /** The full process of a request; what {@code Iommu.translate} returns. */
  static boolean complete(Setup s, Workspace w, DmaRequest request, Translation out) {
    if (request.addressType() == AddressType.UNTRANSLATED
        && !request.hasPasid()
        && Setup.interrupt(request.iova())) {
      return interruptRange(s, w, request, out);
    }
    Reason reason = Translator.translate(s, w, request);
    if (reason != null) {
      return block(s, w, request, out, reason);
    }
    out.grant(w.pa, w.shift, w.permissions, w.coherent ? TlbData.FORCE_COHERENT : 0);
    if (w.ats) {
      out.attributes(false, w.supervisor && request.hasPasid(), w.untranslatedOnly, false);
    }
    return true;
  }

  /** What may be done at FEEx_xxxxh without PASID: send an interrupt. */
  private static boolean interruptRange(Setup s, Workspace w, DmaRequest request, Translation out) {
    if ((request.access() & (Access.WRITE | Access.ATOMIC)) == Access.WRITE) {
      out.grantMessage(request.iova(), 0, 0, Access.WRITE, 0);
      return true;
    }
    if (!s.enabled) {
      out.grant(request.iova(), 12, Access.READ | Access.WRITE, 0);
      return true;
    }
    Translator.begin(s, w, request.source(), request.pasid());
    w.iova = request.iova();
    w.faultAddress = request.iova();
    w.ats = false;
    Reason fault = DeviceTable.locate(s, w);
    return block(s, w, request, out, fault == null ? Reason.INTERRUPT_RANGE : fault);
  }

  private static boolean block(
      Setup s, Workspace w, DmaRequest request, Translation out, Reason reason) {
    w.countFault();
    w.count(s, Counters.ABORTED);
    boolean ats = request.addressType() == AddressType.TRANSLATION_REQUEST;
    if (ats
        && (reason.event() == EventCode.IO_PAGE_FAULT
            || reason.event() == EventCode.RMP_PAGE_FAULT)) {
      // Not an error: nothing is granted, and the device may ask for the page.
      out.grant(0, 12, 0, 0);
      out.attributes(false, false, false, false);
      return true;
    }
    AmdviIommu unit = w.unit;
    synchronized (unit.state()) {
      unit.eventLog().request(w, reason, (request.access() & Access.WRITE) != 0 && !ats, ats);
    }
    unit.virtual().sendInterrupts();
    boolean refused = reason.event() == EventCode.INVALID_DEVICE_REQUEST;
    out.block(
        ats && !refused ? Completion.COMPLETER_ABORT : Completion.UNSUPPORTED_REQUEST, reason, 0);
    return false;
  }

  /** A write to the interrupt range that is no interrupt. */
  static void refused(Setup s, Workspace w, DmaRequest request, Reason reason) {
    Translator.begin(s, w, request.source(), request.pasid());
    w.iova = request.iova();
    w.faultAddress = request.iova();
    Reason fault = DeviceTable.locate(s, w);
    AmdviIommu unit = w.unit;
    synchronized (unit.state()) {
      unit.eventLog().request(w, fault == null ? reason : fault, true, false);
    }
    unit.virtual().sendInterrupts();
  }
}
