package org.iommu4j.riscv.model;

import static org.iommu4j.core.memory.PhysicalMemory.OK;
import static org.iommu4j.core.memory.PhysicalMemory.POISONED;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.riscv.layout.Pte;

/**
 * The second-stage (G-stage) walk: guest-physical to physical. Privileged ISA, "Two-Stage Address
 * Translation"; RISC-V IOMMU §2.3 step 19.
 *
 * <pre>
 *   Sv39x4  levels 3   index bits 11,9,9       input bits 41
 *   Sv48x4  levels 4   index bits 11,9,9,9     input bits 50
 *   Sv57x4  levels 5   index bits 11,9,9,9,9   input bits 59
 *   Sv32x4  levels 2   index bits 12,10        input bits 34   entries of 4 bytes
 * </pre>
 */
final class SecondStageWalker {
  /** Results besides 0: which class of fault. The caller knows the cause. */
  static final int PAGE_FAULT = 1;

  static final int ACCESS_FAULT = 2;
  static final int CORRUPTION = 3;

  /** A Bare stage grants everything. */
  static final long BARE_PTE =
      Pte.V.mask()
          | Pte.R.mask()
          | Pte.W.mask()
          | Pte.X.mask()
          | Pte.U.mask()
          | Pte.A.mask()
          | Pte.D.mask();

  // Compile-time masks of the inner loop.
  static final long V = Pte.V.mask();
  static final long R = Pte.R.mask();
  static final long W = Pte.W.mask();
  static final long X = Pte.X.mask();
  static final long U = Pte.U.mask();
  static final long G = Pte.G.mask();
  static final long A = Pte.A.mask();
  static final long D = Pte.D.mask();
  static final long N = Pte.N.mask();
  static final long PBMT = Pte.PBMT.mask();
  static final long PPN = Pte.PPN.mask();

  /** What must be 0 in an entry that points to the next level. */
  static final long POINTER_RESERVED = PBMT | A | D | U | N;

  /** Bit n: a V, R, W, X combination of value n (W without R is reserved). */
  static final int LEGAL =
      1 << 0b0001 | 1 << 0b0011 | 1 << 0b0111 | 1 << 0b1001 | 1 << 0b1011 | 1 << 0b1111;

  static final int EVENT = 8;

  private SecondStageWalker() {}

  /**
   * Translates {@code gpa}; the results are {@code spa}, {@code gpte} and {@code gShift} of the
   * workspace.
   *
   * @param wanted Access bits of this access; for ATS what is asked for
   * @param check whether missing permissions are a fault
   * @param implicit an access to a first-stage entry: D may be set beforehand
   * @return 0 or the class of fault
   */
  static int translate(
      Setup s, DcEntry dc, Workspace w, long gpa, int wanted, boolean check, boolean implicit) {
    if (dc.gLevels == 0) {
      w.spa = gpa;
      w.gpte = BARE_PTE;
      w.gShift = s.config.bareShift();
      return 0;
    }
    if (gpa >>> dc.gpaBits != 0) {
      w.missShift = 64;
      w.stoppedAtValid = false;
      return PAGE_FAULT;
    }
    return dc.gWide
        ? Sv32x4Walker.walk(s, dc, w, gpa, wanted, check, implicit)
        : walk(s, dc, w, gpa, wanted, check, implicit);
  }

  private static int walk(
      Setup s, DcEntry dc, Workspace w, long gpa, int wanted, boolean check, boolean implicit) {
    int shift = 3 + 9 * dc.gLevels;
    // The root has 2,048 entries; the input check above bounds its index.
    long at = dc.gRoot + (gpa >>> shift << 3);
    MemoryRegion r = w.region();
    while (true) {
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
          return status == POISONED ? CORRUPTION : ACCESS_FAULT;
        }
        e = w.entry();
        r = w.region();
      }
      long raw = e;
      if (s.be) {
        e = Long.reverseBytes(e);
      }
      if (w.traced()) {
        w.note("second-stage PTE, level " + (shift - 12) / 9, Pte.LAYOUT, at, e);
      }
      w.missShift = shift;
      w.stoppedAtValid = (e & V) != 0;
      if ((LEGAL >>> (int) (e & 0xf) & 1) == 0 || (e & s.pteReserved) != 0 || (e & PBMT) == PBMT) {
        return PAGE_FAULT;
      }
      if ((e & (R | X)) == 0) {
        if ((e & POINTER_RESERVED) != 0 || shift == 12) {
          return PAGE_FAULT;
        }
        shift -= 9;
        at = ((e & PPN) << 2) + ((gpa >>> shift & 0x1ff) << 3);
        continue;
      }
      if ((check && denied(e, wanted)) || (e & U) == 0) {
        return PAGE_FAULT;
      }
      int leaf = leafShift(e, shift);
      if (leaf == 0) {
        return PAGE_FAULT;
      }
      if (bitsToSet(e, wanted, implicit, dc.sade) != 0) {
        if (!dc.gade) {
          return PAGE_FAULT;
        }
        w.count(s, EVENT);
        long bits = updateBits(e, wanted, implicit && dc.sade);
        int updated = AdUpdate.set(s, w, at, raw, bits, s.be);
        if (updated == AdUpdate.CHANGED) {
          continue;
        }
        if (updated != AdUpdate.DONE) {
          return updated == AdUpdate.CORRUPTED ? CORRUPTION : ACCESS_FAULT;
        }
        e |= AdUpdate.visible(s, w, bits);
      }
      long offset = (1L << leaf) - 1;
      w.spa = ((e & PPN) << 2 & ~offset) | (gpa & offset);
      w.gpte = e;
      w.gShift = leaf;
      return 0;
    }
  }

  static boolean denied(long e, int wanted) {
    // READ, WRITE and EXECUTE are in the order of R, W and X.
    return ((long) (wanted & 7) << 1 & ~e) != 0;
  }

  /** log2 of the leaf's size; 0 for a misaligned superpage or a reserved NAPOT encoding. */
  static int leafShift(long e, int shift) {
    if ((e & N) != 0) {
      // Svnapot: only 64 KiB at level 0.
      return shift == 12 && (e & 0xfL << 10) == 0x8L << 10 ? 16 : 0;
    }
    return ((e & PPN) << 2 & (1L << shift) - 1) == 0 ? shift : 0;
  }

  /** The A and D bits that stop the translation unless they are set. */
  static long bitsToSet(long e, int wanted, boolean implicit, boolean sade) {
    if ((e & A) == 0) {
      return A;
    }
    // With hardware A/D in the first stage a read of its entry is a potential store.
    boolean store = (wanted & Access.WRITE) != 0 || (implicit && sade);
    return store && (e & (W | D)) == W ? D : 0;
  }

  /** What an update sets; a superset of {@link #bitsToSet}. */
  static long updateBits(long e, int wanted, boolean potentialStore) {
    boolean store = (wanted & Access.WRITE) != 0 || potentialStore;
    return A | (store && (e & W) != 0 ? D : 0);
  }
}
