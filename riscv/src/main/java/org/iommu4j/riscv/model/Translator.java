package org.iommu4j.riscv.model;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.Pte;
import org.iommu4j.riscv.layout.Registers;
import org.jspecify.annotations.Nullable;

/**
 * The process to translate an IOVA, in the specification's steps. RISC-V IOMMU §2.3.
 *
 * <p>The result is in the workspace: {@code spa}, the size {@code shift}, both stages' entries.
 * What a fault or an ATS answer makes of it is the business of {@link RiscvIommu}.
 */
final class Translator {
  private static final int UNTRANSLATED_EVENT = 1;
  private static final int TRANSLATED_EVENT = 2;
  private static final int ATS_EVENT = 3;
  private static final int MISS_EVENT = 4;

  private static final int DISALLOWED = Cause.TRANSACTION_TYPE_DISALLOWED.code();

  private Translator() {}

  /**
   * Translates the request; fills the workspace.
   *
   * @return 0 or the cause
   */
  static int translate(Setup s, Workspace w, DmaRequest request) {
    classify(s, w, request);
    AddressType type = request.addressType();
    w.count(
        s,
        type == AddressType.UNTRANSLATED
            ? UNTRANSLATED_EVENT
            : type == AddressType.TRANSLATED ? TRANSLATED_EVENT : ATS_EVENT);
    long iova = request.iova();
    // 1.
    if (s.mode == Registers.MODE_OFF) {
      return Cause.ALL_INBOUND_TRANSACTIONS_DISALLOWED.code();
    }
    // 2.
    if (s.mode == Registers.MODE_BARE) {
      return type == AddressType.UNTRANSLATED ? identity(s, w, iova) : DISALLOWED;
    }
    // 3. to 5.
    if (s.tooWide(w.deviceId)) {
      return DISALLOWED;
    }
    // 6.
    int cause = locateDevice(s, w);
    if (cause != 0) {
      return cause;
    }
    DcEntry dc = w.dc;
    w.dtf = dc.dtf;
    w.t2gpa = dc.t2gpa;
    w.gv = dc.gLevels != 0;
    w.gscid = dc.gscid;
    // 7.
    if (type != AddressType.UNTRANSLATED && !dc.enAts) {
      return DISALLOWED;
    }
    if (w.pidValid && (!dc.pdtv || w.pid >>> DirectoryWalker.processBits(dc.fscMode) != 0)) {
      return DISALLOWED;
    }
    // 8. and 9.
    if (type == AddressType.TRANSLATED) {
      return dc.t2gpa
          ? stages(s, w, dc, iova, DeviceContext.IOSATP_BARE, 0, 0)
          : identity(s, w, iova);
    }
    // 10.
    if (!dc.pdtv) {
      return stages(s, w, dc, iova, dc.fscMode, dc.fscRoot, dc.pscid);
    }
    // 11.
    boolean process = w.pidValid;
    if (!process && dc.dpe) {
      process = true;
      w.pid = 0;
      w.supervisor = false;
    }
    // 12. and 13.
    if (!process || dc.fscMode == DeviceContext.PDTP_BARE) {
      return stages(s, w, dc, iova, DeviceContext.IOSATP_BARE, 0, 0);
    }
    // 14.
    cause = locateProcess(s, w, dc);
    if (cause != 0) {
      return cause;
    }
    // 15.
    PcEntry pc = w.pc;
    if (w.supervisor && !pc.ens) {
      return DISALLOWED;
    }
    // 16.
    w.sum = pc.sum;
    return stages(s, w, dc, iova, pc.mode, pc.root, pc.pscid);
  }

  /** Read, write, execute and privilege as the unit sees them. §2.3. */
  private static void classify(Setup s, Workspace w, DmaRequest request) {
    int access = request.access();
    w.begin(s);
    w.ats = w.permissive || request.addressType() == AddressType.TRANSLATION_REQUEST;
    w.deviceId = request.source();
    w.pidValid = request.hasPasid();
    w.pid = w.pidValid ? request.pasid() : 0;
    w.supervisor = w.pidValid && (access & Access.PRIVILEGED) != 0;
    w.sum = false;
    w.iotval2 = 0;
    w.dtf = false;
    w.t2gpa = false;
    w.hit = false;
    w.msi = false;
    w.mrif = false;
    w.pscv = false;
    w.pscid = 0;
    w.gv = false;
    w.gscid = 0;
    w.missShift = 12;
    w.stoppedAtValid = false;
    w.access = effective(request.addressType(), access, w.pidValid);
  }

  /** READ, WRITE and EXECUTE that the request's kind amounts to. */
  static int effective(AddressType type, int access, boolean pidValid) {
    boolean execute = (access & Access.EXECUTE) != 0;
    boolean write = (access & Access.WRITE) != 0;
    return switch (type) {
      // Execute without PASID cannot be asked for; read always is.
      case TRANSLATION_REQUEST ->
          Access.READ | (write ? Access.WRITE : 0) | (execute && pidValid ? Access.EXECUTE : 0);
      case TRANSLATED ->
          write ? Access.WRITE : Access.READ | (execute && pidValid ? Access.EXECUTE : 0);
      case UNTRANSLATED -> write ? Access.WRITE : execute ? Access.EXECUTE : Access.READ;
    };
  }

  private static int identity(Setup s, Workspace w, long iova) {
    w.gpa = iova;
    w.spa = iova;
    w.pte = SecondStageWalker.BARE_PTE;
    w.gpte = SecondStageWalker.BARE_PTE;
    w.shift = s.config.bareShift();
    w.global = false;
    return 0;
  }

  static int locateDevice(Setup s, Workspace w) {
    ContextCache cache = contexts(s, w);
    if (cache != null) {
      DcEntry hit = cache.device(w.deviceId);
      if (hit != null) {
        w.dc = hit;
        return hit.cause;
      }
    }
    w.dc = w.dcScratch;
    w.dcScratch.dtf = false;
    int cause = DirectoryWalker.device(s, w, w.deviceId, w.dcScratch);
    w.dcScratch.cause = cause;
    if (cache != null
        && (cause == 0
            || (worst(s)
                && cause == Cause.DDT_ENTRY_MISCONFIGURED.code()
                && w.dcScratch.deviceId == w.deviceId))) {
      cache.fill(w.seenContexts, w.dcScratch);
    }
    return cause;
  }

  private static int locateProcess(Setup s, Workspace w, DcEntry dc) {
    ContextCache cache = contexts(s, w);
    if (cache != null) {
      PcEntry hit = cache.process(w.deviceId, w.pid);
      if (hit != null) {
        w.pc = hit;
        return 0;
      }
    }
    w.pc = w.pcScratch;
    int cause = DirectoryWalker.process(s, w, dc, w.pid, w.pcScratch);
    if (cache != null && cause == 0) {
      cache.fill(w.seenContexts, w.pcScratch);
    }
    return cause;
  }

  private static @Nullable ContextCache contexts(Setup s, Workspace w) {
    return w.dry() || s.config.caches().behaviour() == CacheBehaviour.OFF
        ? null
        : w.unit.contexts();
  }

  private static boolean worst(Setup s) {
    return s.config.caches().behaviour() == CacheBehaviour.WORST_CASE;
  }

  /** Steps 17 to 20: both stages, MSI, and the IOTLB in front of them. */
  private static int stages(
      Setup s, Workspace w, DcEntry dc, long iova, int mode, long root, int pscid) {
    w.pscv = mode != DeviceContext.IOSATP_BARE;
    w.pscid = w.pscv ? pscid : 0;
    Iotlb tlb = w.unit.iotlb(s, w);
    // Both stages Bare: nothing to keep.
    boolean translated = w.pscv || w.gv;
    long tag = Tags.of(w.pscv, w.pscid, w.gv, w.gscid);
    if (tlb != null && translated) {
      long data = tlb.lookup(tag, iova);
      // ATS asks for more than an entry tells (D bits, the GPA): it always walks.
      if (data != Iotlb.MISS && !w.ats && satisfied(w, data)) {
        hit(w, data, iova);
        return 0;
      }
      if (worst(s) && !w.ats) {
        int cause = w.unit.denials().cause(w, tag, iova);
        if (cause != 0) {
          return cause;
        }
      }
    }
    w.countMiss();
    w.count(s, MISS_EVENT);
    // 17.
    int cause = FirstStageWalker.translate(s, dc, w, iova, mode, root);
    if (cause != 0) {
      if (tlb != null && worst(s) && w.stoppedAtValid && !w.ats && cause == Faults.page(w.access)) {
        w.unit.denials().keep(w, tag, iova, cause);
      }
      return cause;
    }
    int firstLeaf = mode == DeviceContext.IOSATP_BARE ? 0 : w.shift;
    int secondLeaf = 0;
    // 18.
    if (MsiTranslator.matches(s, dc, w.gpa)) {
      cause = MsiTranslator.translate(s, dc, w, w.gpa);
      if (cause != 0) {
        return cause;
      }
      if (w.mrif && w.debug) {
        return DISALLOWED; // §5: debug translation does not answer for MRIFs
      }
    } else {
      // 19.
      int fault = SecondStageWalker.translate(s, dc, w, w.gpa, w.access, !w.ats, false);
      if (fault != 0) {
        w.missShift = w.pscv ? Math.min(w.missShift, w.shift) : w.missShift;
        return secondStageCause(w, fault);
      }
      secondLeaf = w.gv ? w.gShift : 0;
      w.gShift = MsiTranslator.withoutInterruptFiles(s, dc, w.gpa, w.gShift);
    }
    // 20.
    w.shift = Math.min(w.shift, w.gShift);
    if (tlb != null && translated && !w.mrif && !w.ats) {
      tlb.fill(
          w.seenTranslations,
          tag,
          iova,
          w.shift,
          tlbData(w, w.spa, !w.pscv),
          w.gpa,
          firstLeaf,
          secondLeaf);
    }
    return 0;
  }

  private static int secondStageCause(Workspace w, int fault) {
    return switch (fault) {
      case SecondStageWalker.PAGE_FAULT -> {
        w.iotval2 = w.gpa & ~3L;
        yield Faults.guestPage(w.access);
      }
      case SecondStageWalker.ACCESS_FAULT -> Faults.access(w.access);
      default -> Faults.PT_CORRUPTION;
    };
  }

  private static boolean satisfied(Workspace w, long data) {
    int need = w.access & 7;
    if (!w.supervisor) {
      return (TlbData.USER.get(data) & need) == need;
    }
    if ((TlbData.SUPERVISOR.get(data) & need) == need) {
      return true;
    }
    return w.sum && (need & Access.EXECUTE) == 0 && (TlbData.USER.get(data) & need) == need;
  }

  private static void hit(Workspace w, long data, long iova) {
    w.countHit();
    w.hit = true;
    w.spa = TlbData.pa(data, iova);
    w.shift = TlbData.shift(data);
    w.msi = TlbData.MSI.isSet(data);
    w.hitData = data;
  }

  /** What the IOTLB keeps of a translation to {@code pa}. */
  static long tlbData(Workspace w, long pa, boolean bare) {
    long e = w.pte;
    int granted = FirstStageWalker.granted(e) & FirstStageWalker.granted(w.gpte);
    if ((e & w.gpte & SecondStageWalker.D) == 0) {
      granted &= ~Access.WRITE; // a write has to set D first: it walks again
    }
    boolean user = bare || (e & SecondStageWalker.U) != 0;
    boolean supervisor = bare || (e & SecondStageWalker.U) == 0;
    return TlbData.of(pa, w.shift, granted, user, supervisor, pbmt(w), w.global, w.msi);
  }

  /** The first stage's memory type unless it is PMA, then the second's. §2.3 step 20. */
  static int pbmt(Workspace w) {
    int first = Pte.PBMT.getInt(w.pte);
    return first != Pte.PBMT_PMA ? first : Pte.PBMT.getInt(w.gpte);
  }
}
