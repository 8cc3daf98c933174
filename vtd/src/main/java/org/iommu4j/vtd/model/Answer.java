package org.iommu4j.vtd.model;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.Completion;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.vtd.layout.Reason;

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
      return interruptRange(w, request, out);
    }
    FaultReason reason = Translator.translate(s, w, request);
    if (reason != null) {
      return block(w, request, out, reason);
    }
    int type = w.memoryType | (w.snoop ? TlbData.FORCE_SNOOP : 0);
    out.grant(w.pa, w.shift, w.permissions, type);
    if (w.ats) {
      out.attributes(false, w.supervisor && request.hasPasid(), w.untranslatedOnly, false);
    }
    return true;
  }

  /** §3.14: what may be done at 0xFEEx_xxxx without PASID: send an interrupt, or flush. */
  private static boolean interruptRange(Workspace w, DmaRequest request, Translation out) {
    int access = request.access();
    if ((access & Access.ZERO_LENGTH) != 0) {
      out.grant(request.iova(), 12, Access.READ, 0);
      return true;
    }
    if ((access & (Access.WRITE | Access.ATOMIC)) == Access.WRITE) {
      out.grantMessage(request.iova(), 0, 0, Access.WRITE, 0);
      return true;
    }
    w.fpd = false;
    return block(w, request, out, Reason.IR_MALFORMED);
  }

  private static boolean block(Workspace w, DmaRequest request, Translation out, FaultReason why) {
    w.countFault();
    if (!(why instanceof Reason reason)) {
      out.block(Completion.UNSUPPORTED_REQUEST, why, 0);
      return false;
    }
    Reason.Response response =
        switch (request.addressType()) {
          case UNTRANSLATED -> Reason.Response.UR;
          case TRANSLATION_REQUEST -> reason.translation();
          case TRANSLATED -> reason.translated();
        };
    boolean recoverable = response == Reason.Response.S0 || response == Reason.Response.PERMS;
    if ((!recoverable || reason == Reason.SFS_10) && !(w.fpd && reason.qualified())) {
      VtdIommu unit = w.unit;
      synchronized (unit.state()) {
        unit.faultLog().record(reason, request, false);
      }
    }
    if (recoverable) {
      // Not an error: nothing is granted, and the device may ask for the page.
      out.grant(0, 12, 0, 0);
      out.attributes(false, false, false, false);
      return true;
    }
    out.block(
        response == Reason.Response.CA
            ? Completion.COMPLETER_ABORT
            : Completion.UNSUPPORTED_REQUEST,
        reason,
        0);
    return false;
  }
}
