package org.iommu4j.riscv.model;

import static org.iommu4j.core.memory.PhysicalMemory.OK;
import static org.iommu4j.core.memory.PhysicalMemory.POISONED;
import static org.iommu4j.riscv.model.SecondStageWalker.A;
import static org.iommu4j.riscv.model.SecondStageWalker.BARE_PTE;
import static org.iommu4j.riscv.model.SecondStageWalker.D;
import static org.iommu4j.riscv.model.SecondStageWalker.G;
import static org.iommu4j.riscv.model.SecondStageWalker.LEGAL;
import static org.iommu4j.riscv.model.SecondStageWalker.R;
import static org.iommu4j.riscv.model.SecondStageWalker.U;
import static org.iommu4j.riscv.model.SecondStageWalker.V;
import static org.iommu4j.riscv.model.SecondStageWalker.W;
import static org.iommu4j.riscv.model.SecondStageWalker.X;

import org.iommu4j.core.dma.Access;
import org.iommu4j.riscv.layout.FaultRecord;
import org.iommu4j.riscv.layout.Pte;

/**
 * The first-stage walk of Sv32 (SXL = 1): two levels of 1,024 entries of 4 bytes, leaves of 4 KiB
 * and 4 MiB. The steps are those of {@link FirstStageWalker}; entries have no PBMT, N or reserved
 * bits. Not cached by level: two loads are all there is.
 */
final class Sv32Walker {
  private Sv32Walker() {}

  static int walk(Setup s, DcEntry dc, Workspace w, long iova, long root) {
    boolean nested = dc.gLevels != 0;
    int shift = 22;
    long table = root;
    boolean global = false;
    PagingCaches caches = w.unit.pagingCaches(s, w);
    while (true) {
      long at = table + ((iova >>> shift & 0x3ff) << 2);
      long entryGpa = at;
      long gpte = BARE_PTE;
      if (nested) {
        int fault = FirstStageWalker.implicit(s, dc, w, at, caches);
        if (fault != 0) {
          w.missShift = shift;
          return fault;
        }
        at = w.spa;
        gpte = w.gpte;
      }
      w.count(s, FirstStageWalker.EVENT);
      int status = w.fetchWord(s, at);
      if (status != OK) {
        w.missShift = shift;
        return status == POISONED ? Faults.PT_CORRUPTION : Faults.access(w.access);
      }
      int raw = (int) w.entry();
      long e = (dc.sbe ? Integer.reverseBytes(raw) : raw) & 0xffff_ffffL;
      if (w.traced()) {
        w.note("first-stage PTE, level " + (shift - 12) / 10, Pte.LAYOUT32, at, e);
      }
      w.missShift = shift;
      w.stoppedAtValid = (e & V) != 0;
      if ((LEGAL >>> (int) (e & 0xf) & 1) == 0) {
        return Faults.page(w.access);
      }
      if ((e & (R | X)) == 0) {
        if ((e & (A | D | U)) != 0 || shift == 12) {
          return Faults.page(w.access);
        }
        global |= (e & G) != 0;
        table = Pte.PPN32.get(e) << 12;
        shift = 12;
        continue;
      }
      long page = Pte.PPN32.get(e) << 12;
      long offset = (1L << shift) - 1;
      if (FirstStageWalker.refused(e, w) || (page & offset) != 0) {
        return Faults.page(w.access);
      }
      boolean store = (w.access & Access.WRITE) != 0 && (e & W) != 0;
      long need = A | (store ? D : 0);
      if ((e & need) != need) {
        if (!dc.sade) {
          return Faults.page(w.access);
        }
        if ((gpte & W) == 0) {
          w.iotval2 =
              entryGpa & ~3L | FaultRecord.IMPLICIT.mask() | FaultRecord.IMPLICIT_WRITE.mask();
          return Faults.guestPage(w.access);
        }
        w.count(s, FirstStageWalker.EVENT);
        int updated = AdUpdate.set4(s, w, at, raw, (int) need, dc.sbe);
        if (updated == AdUpdate.CHANGED) {
          continue;
        }
        if (updated != AdUpdate.DONE) {
          return updated == AdUpdate.CORRUPTED ? Faults.PT_CORRUPTION : Faults.access(w.access);
        }
        e |= AdUpdate.visible(s, w, need);
      }
      w.gpa = page | (iova & offset);
      w.pte = e;
      w.shift = shift;
      w.global = global || (e & G) != 0;
      return 0;
    }
  }
}
