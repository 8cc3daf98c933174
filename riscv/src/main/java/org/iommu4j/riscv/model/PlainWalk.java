package org.iommu4j.riscv.model;

import static org.iommu4j.riscv.model.SecondStageWalker.A;
import static org.iommu4j.riscv.model.SecondStageWalker.D;
import static org.iommu4j.riscv.model.SecondStageWalker.G;
import static org.iommu4j.riscv.model.SecondStageWalker.PPN;
import static org.iommu4j.riscv.model.SecondStageWalker.R;
import static org.iommu4j.riscv.model.SecondStageWalker.U;
import static org.iommu4j.riscv.model.SecondStageWalker.V;
import static org.iommu4j.riscv.model.SecondStageWalker.W;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.unit.TablePointer;

/**
 * The walk of nearly every request, without all that can be otherwise: an untranslated read or
 * write without PASID, through entries of 8 little-endian bytes of which nothing has to be said or
 * done but to follow them.
 *
 * <p>It decides nothing. Whatever is out of the ordinary, from a missing permission to an A bit to
 * set, is {@link #UNDECIDED}: nothing has changed, and {@link Translator} starts anew with every
 * check in the specification's order. So the order of checks is of no matter here, and one mask
 * says whether an entry is ordinary.
 *
 * <p>Why a second walker: with every table read, Sv39 takes 20 ns instead of 84, and Sv48 over
 * Sv48x4 takes 85 instead of 193. Methods here stay below 325 bytes of bytecode, up to which the
 * compiler inlines.
 */
final class PlainWalk {
  /** The full process has to decide. No address: those have 56 bits. */
  static final long UNDECIDED = -1;

  /** What an ordinary leaf has. */
  private static final long LEAF = V | R | U | A;

  private PlainWalk() {}

  /**
   * Both stages for {@code iova}; the results besides the address are {@code shift}, {@code flags}
   * and, for {@link #keep}, some more.
   *
   * @param dc a plain context
   * @param access without EXECUTE
   * @return the physical address, or {@link #UNDECIDED}
   */
  static long walk(Setup s, DcEntry dc, Workspace w, long iova, int access) {
    // A write needs D in both stages; that a leaf can be read is part of being ordinary.
    long need = (access & Access.WRITE) != 0 ? LEAF | W | D : LEAF;
    return dc.gLevels == 0
        ? oneStage(s, dc, w, iova, need)
        : dc.firstLevels == 0 ? secondStage(s, dc, w, iova, need) : twoStages(s, dc, w, iova, need);
  }

  private static boolean canonical(DcEntry dc, long iova) {
    // All bits from the sign bit on are the same.
    return Long.compareUnsigned((iova >> 11 + 9 * dc.firstLevels) + 1, 1) <= 0;
  }

  private static long oneStage(Setup s, DcEntry dc, Workspace w, long iova, long need) {
    if (!canonical(dc, iova)) {
      return UNDECIDED;
    }
    long pointer = s.cached ? start(dc, w, iova) : dc.pointer;
    int shift = TablePointer.entryShift(pointer);
    long table = TablePointer.table(pointer);
    long global = PagingCaches.global(pointer) ? G : 0;
    while (true) {
      long at = table + ((iova >>> shift & 0x1ff) << 3);
      MemoryRegion r = w.region(s, at);
      if (r == MemoryRegion.NONE) {
        return UNDECIDED;
      }
      long e = r.getLong(at);
      if ((e & s.pointerMask) != V) {
        long pa = leaf(s, e, need, shift, iova);
        w.shift = shift;
        w.flags = e;
        if (s.cached && pa != UNDECIDED) {
          w.pte = e;
          w.gpte = SecondStageWalker.BARE_PTE;
          w.global = ((e | global) & G) != 0;
          w.gpa = pa;
          keepPointer(dc, w, iova, pointer, table, shift, global);
        }
        return pa;
      }
      if (shift == 12) {
        return UNDECIDED;
      }
      global |= e;
      table = (e & PPN) << 2;
      shift -= 9;
    }
  }

  private static long secondStage(Setup s, DcEntry dc, Workspace w, long iova, long need) {
    w.pte = SecondStageWalker.BARE_PTE;
    w.global = false;
    w.gpa = iova;
    long pa = guest(s, dc, w, iova, need);
    w.shift = Math.min(s.config.bareShift(), w.gShift);
    w.flags = w.gpte;
    return pa;
  }

  private static long twoStages(Setup s, DcEntry dc, Workspace w, long iova, long need) {
    if (!canonical(dc, iova)) {
      return UNDECIDED;
    }
    long pointer = s.cached ? start(dc, w, iova) : dc.pointer;
    int shift = TablePointer.entryShift(pointer);
    long table = TablePointer.table(pointer);
    long global = PagingCaches.global(pointer) ? G : 0;
    while (true) {
      long at = implicit(s, dc, w, table + ((iova >>> shift & 0x1ff) << 3));
      if (at == UNDECIDED) {
        return UNDECIDED;
      }
      MemoryRegion r = w.region(s, at);
      if (r == MemoryRegion.NONE) {
        return UNDECIDED;
      }
      long e = r.getLong(at);
      if ((e & s.pointerMask) != V) {
        w.pte = e;
        w.global = ((e | global) & G) != 0;
        w.shift = shift;
        break;
      }
      if (shift == 12) {
        return UNDECIDED;
      }
      global |= e;
      table = (e & PPN) << 2;
      shift -= 9;
    }
    long gpa = leaf(s, w.pte, need, shift, iova);
    if (gpa == UNDECIDED) {
      return UNDECIDED;
    }
    if (s.cached) {
      keepPointer(dc, w, iova, pointer, table, shift, global);
    }
    w.gpa = gpa;
    w.firstLeaf = shift;
    long pa = guest(s, dc, w, gpa, need);
    w.shift = Math.min(shift, w.gShift);
    w.flags = w.pte & w.gpte;
    return pa;
  }

  /** The second stage for the address of a first-stage entry. */
  private static long implicit(Setup s, DcEntry dc, Workspace w, long at) {
    if (s.cached && w.unit.pagingCaches().implicitHit(s, dc, w, at)) {
      return w.spa;
    }
    // With hardware A/D in the first stage the entry's page is stored to: D has to be set.
    long spa = guest(s, dc, w, at, LEAF);
    if (spa == UNDECIDED || (dc.sade && (w.gpte & (W | D)) == W)) {
      return UNDECIDED;
    }
    if (s.cached) {
      w.spa = spa;
      w.unit.pagingCaches().fillSecondStage(dc, w, at);
    }
    return spa;
  }

  /** The second stage; the leaf is in {@code gpte} and {@code gShift}. */
  private static long guest(Setup s, DcEntry dc, Workspace w, long gpa, long need) {
    if (gpa >>> dc.gpaBits != 0) {
      return UNDECIDED;
    }
    int shift = 3 + 9 * dc.gLevels;
    long at = dc.gRoot + (gpa >>> shift << 3);
    while (true) {
      MemoryRegion r = w.region(s, at);
      if (r == MemoryRegion.NONE) {
        return UNDECIDED;
      }
      long e = r.getLong(at);
      if ((e & s.pointerMask) != V) {
        w.gpte = e;
        w.gShift = shift;
        return leaf(s, e, need, shift, gpa);
      }
      if (shift == 12) {
        return UNDECIDED;
      }
      shift -= 9;
      at = ((e & PPN) << 2) + ((gpa >>> shift & 0x1ff) << 3);
    }
  }

  /** The address that a leaf gives, if it is an ordinary, aligned one that has what is needed. */
  private static long leaf(Setup s, long e, long need, int shift, long address) {
    long offset = (1L << shift) - 1;
    long base = (e & PPN) << 2;
    return (e & (s.leafMask | need)) == need && (base & offset) == 0
        ? base | address & offset
        : UNDECIDED;
  }

  /** Where the first stage starts: at the pointer that is cached, or at the root. */
  private static long start(DcEntry dc, Workspace w, long iova) {
    long pointer = w.unit.pagingCaches().firstStage.lookup(dc.tag, iova);
    return pointer == Iotlb.MISS ? dc.pointer : pointer;
  }

  /** Keeps the last table for its neighbours, unless the walk started at it. */
  private static void keepPointer(
      DcEntry dc, Workspace w, long iova, long started, long table, int shift, long global) {
    if (shift != TablePointer.entryShift(started)) {
      w.unit.pagingCaches().keepPointer(w, dc.tag, iova, table, shift, (global & G) != 0);
    }
  }

  /** Keeps the translation that {@link #walk} just found. */
  static void keep(DcEntry dc, Workspace w, long iova, long pa) {
    boolean nested = dc.gLevels != 0;
    w.unit
        .iotlb()
        .fill(
            w.seenTranslations,
            dc.tag,
            iova,
            w.shift,
            Translator.tlbData(w, pa, dc.firstLevels == 0),
            w.gpa,
            nested ? dc.firstLevels == 0 ? 0 : w.firstLeaf : w.shift,
            nested ? w.gShift : 0);
  }
}
