package org.iommu4j.riscv.model;

import static org.iommu4j.core.memory.PhysicalMemory.OK;
import static org.iommu4j.core.memory.PhysicalMemory.POISONED;
import static org.iommu4j.riscv.model.SecondStageWalker.A;
import static org.iommu4j.riscv.model.SecondStageWalker.BARE_PTE;
import static org.iommu4j.riscv.model.SecondStageWalker.D;
import static org.iommu4j.riscv.model.SecondStageWalker.G;
import static org.iommu4j.riscv.model.SecondStageWalker.LEGAL;
import static org.iommu4j.riscv.model.SecondStageWalker.PBMT;
import static org.iommu4j.riscv.model.SecondStageWalker.POINTER_RESERVED;
import static org.iommu4j.riscv.model.SecondStageWalker.PPN;
import static org.iommu4j.riscv.model.SecondStageWalker.R;
import static org.iommu4j.riscv.model.SecondStageWalker.U;
import static org.iommu4j.riscv.model.SecondStageWalker.V;
import static org.iommu4j.riscv.model.SecondStageWalker.W;
import static org.iommu4j.riscv.model.SecondStageWalker.X;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.unit.TablePointer;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.FaultRecord;
import org.iommu4j.riscv.layout.Pte;
import org.jspecify.annotations.Nullable;

/**
 * The first-stage walk: IOVA to physical, or to guest-physical if there is a second stage (then it
 * is the VS-stage). Privileged ISA, "Virtual Address Translation Process"; RISC-V IOMMU §2.3 step
 * 17.
 *
 * <pre>
 *   Sv39  levels 3   index bits 9 each   input: bits 63:39 equal bit 38
 *   Sv48  levels 4                       input: bits 63:48 equal bit 47
 *   Sv57  levels 5                       input: bits 63:57 equal bit 56
 *   Sv32  levels 2   index bits 10 each  input: bits 63:32 are 0       entries of 4 bytes
 * </pre>
 */
final class FirstStageWalker {
  static final int EVENT = 7;

  private FirstStageWalker() {}

  /**
   * Translates {@code iova}; the results are {@code gpa}, {@code pte}, {@code shift} and {@code
   * global} of the workspace.
   *
   * @return 0 or the cause
   */
  static int translate(Setup s, DcEntry dc, Workspace w, long iova, int mode, long root) {
    if (mode == DeviceContext.IOSATP_BARE) {
      w.gpa = iova;
      w.pte = BARE_PTE;
      w.shift = s.config.bareShift();
      w.global = false;
      return 0;
    }
    if (dc.sxl) {
      return iova >>> 32 != 0 ? miss(w, 64) : Sv32Walker.walk(s, dc, w, iova, root);
    }
    int levels = dc.levels(mode);
    int sign = 11 + 9 * levels;
    long upper = iova >> sign;
    if (upper != 0 && upper != -1) {
      return miss(w, sign);
    }
    return walk(s, dc, w, iova, root, levels);
  }

  private static int miss(Workspace w, int shift) {
    w.missShift = shift;
    w.stoppedAtValid = false;
    return Faults.page(w.access);
  }

  private static int walk(Setup s, DcEntry dc, Workspace w, long iova, long root, int levels) {
    boolean nested = dc.gLevels != 0;
    int shift = 3 + 9 * levels;
    long table = root;
    boolean global = false;
    PagingCaches caches = w.unit.pagingCaches(s, w);
    long tag = 0;
    if (caches != null) {
      tag = Tags.of(true, w.pscid, nested, w.gscid);
      long pointer = caches.firstStage.lookup(tag, iova);
      if (pointer != Iotlb.MISS) {
        shift = TablePointer.entryShift(pointer);
        table = TablePointer.table(pointer);
        global = PagingCaches.global(pointer);
      }
    }
    int start = shift;
    MemoryRegion r = w.region();
    while (true) {
      long at = table + ((iova >>> shift & 0x1ff) << 3);
      long entryGpa = at;
      long gpte = BARE_PTE;
      if (nested) {
        int fault = implicit(s, dc, w, at, caches);
        if (fault != 0) {
          w.missShift = shift;
          return fault;
        }
        r = w.region();
        at = w.spa;
        gpte = w.gpte;
      }
      if (s.counting) {
        w.count(s, EVENT);
      }
      long e;
      if (r.holds(at)) {
        e = r.getLong(at);
      } else {
        int status = w.fetch(s, at);
        if (status != OK) {
          w.missShift = shift;
          return status == POISONED ? Faults.PT_CORRUPTION : Faults.access(w.access);
        }
        e = w.entry();
        r = w.region();
      }
      long raw = e;
      if (dc.sbe) {
        e = Long.reverseBytes(e);
      }
      if (w.traced()) {
        w.note("first-stage PTE, level " + (shift - 12) / 9, Pte.LAYOUT, at, e);
      }
      w.missShift = shift;
      w.stoppedAtValid = (e & V) != 0;
      if ((LEGAL >>> (int) (e & 0xf) & 1) == 0 || (e & s.pteReserved) != 0 || (e & PBMT) == PBMT) {
        return Faults.page(w.access);
      }
      if ((e & (R | X)) == 0) {
        if ((e & POINTER_RESERVED) != 0 || shift == 12) {
          return Faults.page(w.access);
        }
        global |= (e & G) != 0;
        table = (e & PPN) << 2;
        shift -= 9;
        if (caches != null && caches.everyLevel) {
          caches.keepPointer(w, tag, iova, table, shift, global);
        }
        continue;
      }
      if (refused(e, w)) {
        return Faults.page(w.access);
      }
      int leaf = SecondStageWalker.leafShift(e, shift);
      if (leaf == 0) {
        return Faults.page(w.access);
      }
      boolean store = (w.access & Access.WRITE) != 0 && (e & W) != 0;
      long need = A | (store ? D : 0);
      if ((e & need) != need) {
        if (!dc.sade) {
          return Faults.page(w.access);
        }
        if ((gpte & W) == 0) {
          // The page of the table may not be written by the guest: an implicit write faults.
          w.iotval2 =
              entryGpa & ~3L | FaultRecord.IMPLICIT.mask() | FaultRecord.IMPLICIT_WRITE.mask();
          return Faults.guestPage(w.access);
        }
        if (s.counting) {
          w.count(s, EVENT);
        }
        int updated = AdUpdate.set(s, w, at, raw, need, dc.sbe);
        if (updated == AdUpdate.CHANGED) {
          continue; // from the address of the entry, with a new implicit translation
        }
        if (updated != AdUpdate.DONE) {
          return updated == AdUpdate.CORRUPTED ? Faults.PT_CORRUPTION : Faults.access(w.access);
        }
        e |= AdUpdate.visible(s, w, need);
      }
      if (caches != null && shift != start) {
        // The last table answers for all its neighbours; the ones above would cost a fill each.
        caches.keepPointer(w, tag, iova, table, shift, global);
      }
      long offset = (1L << leaf) - 1;
      w.gpa = ((e & PPN) << 2 & ~offset) | (iova & offset);
      w.pte = e;
      w.shift = leaf;
      w.global = global || (e & G) != 0;
      return 0;
    }
  }

  /** The implicit read of a first-stage entry through the second stage; result in {@code spa}. */
  static int implicit(Setup s, DcEntry dc, Workspace w, long at, @Nullable PagingCaches c) {
    if (c != null && c.implicitHit(s, dc, w, at)) {
      return 0;
    }
    int fault = SecondStageWalker.translate(s, dc, w, at, Access.READ, true, true);
    if (fault == 0) {
      if (c != null) {
        c.fillSecondStage(dc, w, at);
      }
      return 0;
    }
    return switch (fault) {
      case SecondStageWalker.PAGE_FAULT -> {
        w.iotval2 = at & ~3L | FaultRecord.IMPLICIT.mask();
        yield Faults.guestPage(w.access);
      }
      case SecondStageWalker.ACCESS_FAULT -> Faults.access(w.access);
      default -> Faults.PT_CORRUPTION;
    };
  }

  /** Whether a leaf refuses the request. §2.3; Privileged ISA, step 5. */
  static boolean refused(long e, Workspace w) {
    if (!w.ats && SecondStageWalker.denied(e, Faults.needed(w.access))) {
      return true;
    }
    if (!w.supervisor) {
      return (e & U) == 0;
    }
    // A supervisor never executes user pages, and reads or writes them only with SUM.
    return (e & U) != 0 && ((w.access & Access.EXECUTE) != 0 || !w.sum);
  }

  /** The mask of bits that a leaf of either kind grants. */
  static int granted(long e) {
    return (int) ((e & (R | W | X)) >>> 1);
  }
}
