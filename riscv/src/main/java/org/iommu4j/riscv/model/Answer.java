package org.iommu4j.riscv.model;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.BridgeError;
import org.iommu4j.core.dma.Completion;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.Registers;
import org.jspecify.annotations.Nullable;

/**
 * How a request ends that the quick path leaves to the full process: what its device is told, and
 * what software is told of it.
 */
final class Answer {
  private Answer() {}

  /** The full process of a request; what {@code Iommu.translate} returns. */
  static boolean complete(Setup s, Workspace w, DmaRequest request, Translation out) {
    int cause = Translator.translate(s, w, request);
    if (cause == 0) {
      grant(w, request, out);
      if (w.unit.config().caches().behaviour() == CacheBehaviour.WORST_CASE && !w.hit && !w.ats) {
        Prefetcher.neighbours(s, w.unit, request);
      }
      return true;
    }
    return block(w, request, out, Cause.of(cause));
  }

  /** Step 20: the answer. */
  private static void grant(Workspace w, DmaRequest request, Translation out) {
    int permissions;
    int pbmt;
    if (w.hit) {
      permissions =
          w.supervisor
              ? TlbData.SUPERVISOR.getInt(w.hitData)
                  | (w.sum ? TlbData.USER.getInt(w.hitData) & ~Access.EXECUTE : 0)
              : TlbData.USER.getInt(w.hitData);
      pbmt = TlbData.PBMT.getInt(w.hitData);
    } else {
      permissions = FirstStageWalker.granted(w.pte) & FirstStageWalker.granted(w.gpte);
      pbmt = Translator.pbmt(w);
    }
    if (!w.ats) {
      if (w.mrif) {
        out.grantMessage(w.mrifAddress, w.noticeAddress, w.nid, permissions, pbmt);
      } else {
        out.grant(w.spa, w.shift, permissions, pbmt);
      }
      return;
    }
    // §2.7: what an ATS translation completion says.
    boolean pasid = request.hasPasid();
    if ((w.pte & w.gpte & SecondStageWalker.D) == 0) {
      permissions &= ~Access.WRITE;
    }
    boolean execute = (w.access & Access.EXECUTE) != 0;
    if (!execute || (permissions & Access.READ) == 0) {
      permissions &= ~Access.EXECUTE;
    }
    out.grant(w.t2gpa ? w.gpa : w.spa, w.shift, permissions, pbmt);
    out.attributes(
        pasid && w.global && !w.msi,
        pasid && (request.access() & Access.PRIVILEGED) != 0,
        w.mrif,
        (request.access() & Access.CXL) != 0 && (pbmt != 0 || w.msi || w.t2gpa));
  }

  private static boolean block(
      Workspace w, DmaRequest request, Translation out, @Nullable Cause found) {
    Cause cause = found == null ? Cause.INTERNAL_DATA_PATH_ERROR : found;
    w.countFault();
    if (!w.ats) {
      report(w, request, cause);
      out.block(Completion.UNSUPPORTED_REQUEST, cause, w.iotval2);
      return false;
    }
    // §2.7: which status an ATS request that cannot be translated ends with.
    switch (cause) {
      case INSTRUCTION_PAGE_FAULT,
          READ_PAGE_FAULT,
          WRITE_PAGE_FAULT,
          INSTRUCTION_GUEST_PAGE_FAULT,
          READ_GUEST_PAGE_FAULT,
          WRITE_GUEST_PAGE_FAULT,
          PDT_ENTRY_NOT_VALID,
          MSI_PTE_NOT_VALID -> {
        // Not an error: nothing is granted, and nothing is recorded.
        out.grant(0, 12, 0, 0);
        out.attributes(false, false, false, false);
        return true;
      }
      case ALL_INBOUND_TRANSACTIONS_DISALLOWED,
          DDT_ENTRY_LOAD_ACCESS_FAULT,
          DDT_ENTRY_NOT_VALID,
          DDT_ENTRY_MISCONFIGURED,
          TRANSACTION_TYPE_DISALLOWED -> {
        report(w, request, cause);
        out.block(Completion.UNSUPPORTED_REQUEST, cause, w.iotval2);
      }
      default -> {
        report(w, request, cause);
        out.block(Completion.COMPLETER_ABORT, cause, w.iotval2);
      }
    }
    return false;
  }

  private static void report(Workspace w, DmaRequest request, Cause cause) {
    report(w, request, cause, w.dtf, w.iotval2);
  }

  private static void report(
      Workspace w, DmaRequest request, Cause cause, boolean dtf, long iotval2) {
    RiscvIommu unit = w.unit;
    synchronized (unit.state()) {
      unit.faultQueue().report(request, cause, dtf, request.iova(), iotval2);
    }
  }

  /** The host bridge refused a request: reported as its device context allows. */
  static void bridgeError(Setup s, Workspace w, DmaRequest request, BridgeError error) {
    w.begin(s);
    w.deviceId = request.source();
    boolean dtf =
        s.mode >= Registers.MODE_1LVL
            && !s.tooWide(w.deviceId)
            && Translator.locateDevice(s, w) == 0
            && w.dc.dtf;
    Cause cause =
        error == BridgeError.INTERNAL
            ? Cause.INTERNAL_DATA_PATH_ERROR
            : (request.access() & Access.WRITE) != 0
                ? Cause.WRITE_ADDRESS_MISALIGNED
                : Cause.READ_ADDRESS_MISALIGNED;
    report(w, request, cause, dtf, 0);
  }
}
