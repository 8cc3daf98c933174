package org.iommu4j.riscv.model;

import static org.iommu4j.core.memory.PhysicalMemory.OK;
import static org.iommu4j.core.memory.PhysicalMemory.POISONED;
import static org.iommu4j.riscv.model.SecondStageWalker.A;
import static org.iommu4j.riscv.model.SecondStageWalker.ACCESS_FAULT;
import static org.iommu4j.riscv.model.SecondStageWalker.CORRUPTION;
import static org.iommu4j.riscv.model.SecondStageWalker.D;
import static org.iommu4j.riscv.model.SecondStageWalker.LEGAL;
import static org.iommu4j.riscv.model.SecondStageWalker.PAGE_FAULT;
import static org.iommu4j.riscv.model.SecondStageWalker.R;
import static org.iommu4j.riscv.model.SecondStageWalker.U;
import static org.iommu4j.riscv.model.SecondStageWalker.V;
import static org.iommu4j.riscv.model.SecondStageWalker.X;

import org.iommu4j.riscv.layout.Pte;

/**
 * The second-stage walk of Sv32x4 (fctl.GXL = 1): a root of 4,096 and tables of 1,024 entries of 4
 * bytes. The steps are those of {@link SecondStageWalker}.
 */
final class Sv32x4Walker {
  private Sv32x4Walker() {}

  static int walk(
      Setup s, DcEntry dc, Workspace w, long gpa, int wanted, boolean check, boolean implicit) {
    int shift = 22;
    long at = dc.gRoot + (gpa >>> 22 << 2);
    while (true) {
      w.count(s, SecondStageWalker.EVENT);
      int status = w.fetchWord(s, at);
      if (status != OK) {
        w.missShift = shift;
        return status == POISONED ? CORRUPTION : ACCESS_FAULT;
      }
      int raw = (int) w.entry();
      long e = (s.be ? Integer.reverseBytes(raw) : raw) & 0xffff_ffffL;
      if (w.traced()) {
        w.note("second-stage PTE, level " + (shift - 12) / 10, Pte.LAYOUT32, at, e);
      }
      w.missShift = shift;
      w.stoppedAtValid = (e & V) != 0;
      if ((LEGAL >>> (int) (e & 0xf) & 1) == 0) {
        return PAGE_FAULT;
      }
      long page = Pte.PPN32.get(e) << 12;
      if ((e & (R | X)) == 0) {
        if ((e & (A | D | U)) != 0 || shift == 12) {
          return PAGE_FAULT;
        }
        shift = 12;
        at = page + ((gpa >>> 12 & 0x3ff) << 2);
        continue;
      }
      long offset = (1L << shift) - 1;
      if ((check && SecondStageWalker.denied(e, wanted)) || (e & U) == 0 || (page & offset) != 0) {
        return PAGE_FAULT;
      }
      if (SecondStageWalker.bitsToSet(e, wanted, implicit, dc.sade) != 0) {
        if (!dc.gade) {
          return PAGE_FAULT;
        }
        w.count(s, SecondStageWalker.EVENT);
        long bits = SecondStageWalker.updateBits(e, wanted, implicit && dc.sade);
        int updated = AdUpdate.set4(s, w, at, raw, (int) bits, s.be);
        if (updated == AdUpdate.CHANGED) {
          continue;
        }
        if (updated != AdUpdate.DONE) {
          return updated == AdUpdate.CORRUPTED ? CORRUPTION : ACCESS_FAULT;
        }
        e |= AdUpdate.visible(s, w, bits);
      }
      w.spa = page | (gpa & offset);
      w.gpte = e;
      w.gShift = shift;
      return 0;
    }
  }
}
