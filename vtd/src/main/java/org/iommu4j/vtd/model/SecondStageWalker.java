package org.iommu4j.vtd.model;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.memory.EntryUpdate;
import org.iommu4j.core.unit.TablePointer;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.SecondStagePte;
import org.jspecify.annotations.Nullable;

/**
 * The second-stage walk: from a domain's or guest's address to a physical one. §3.7.
 *
 * <pre>
 *   AW 1  levels 3  39 bits      AW 2  levels 4  48 bits      AW 3  levels 5  57 bits
 * </pre>
 *
 * An entry that grants nothing or is malformed ends the walk where it is met, and A is set in every
 * entry that was used. Permissions are those of all levels: they are looked at when all are known.
 */
final class SecondStageWalker {
  // Compile-time masks of the inner loop.
  static final long PS = SecondStagePte.PS.mask();
  static final long A = SecondStagePte.A.mask();
  static final long D = SecondStagePte.D.mask();
  static final long ADDR = SecondStagePte.ADDR.mask();

  private SecondStageWalker() {}

  /**
   * Translates {@code gpa}; the results are {@code spa} and the {@code ss...} fields of the
   * workspace.
   *
   * @param wanted READ and WRITE that this access needs; neither: any will do
   * @param check whether missing permissions are a fault
   */
  static @Nullable Reason translate(
      Setup s, Space space, Workspace w, long gpa, int wanted, boolean check) {
    if (gpa >>> space.ssBits != 0) {
      w.missShift = 64;
      return space.legacy ? Reason.LGN_1_1 : Reason.SGN_5;
    }
    boolean caches = s.cached && !w.dry();
    if (caches && s.keepsFaults) {
      long kept = w.unit.walkCaches().absent.lookup(Tags.second(space.did), gpa);
      if (kept != Iotlb.MISS) {
        return missing(space, wanted);
      }
    }
    int shift = 3 + 9 * space.ssLevels;
    long table = space.ssRoot;
    int granted = Access.READ | Access.WRITE;
    if (caches) {
      w.count(s, 2, 4, 0);
      long pointer = w.unit.walkCaches().secondStage.lookup(Tags.second(space.did), gpa);
      if (pointer != Iotlb.MISS) {
        w.count(s, 2, 5, 0);
        shift = TablePointer.entryShift(pointer);
        table = TablePointer.table(pointer);
        granted = TablePointer.carried(pointer) & 3;
      }
    }
    while (true) {
      int level = (shift - 3) / 9;
      long at = table + ((gpa >>> shift & 0x1ff) << 3);
      w.missShift = shift;
      w.count(s, 1, 0, level - 1);
      if (!w.load(s, at)) {
        return unreadable(space, level);
      }
      long e = w.entry();
      if (w.traced()) {
        w.note("second-stage entry, level " + level, SecondStagePte.LAYOUT, at, e);
      }
      // IR and IW, bits 61 and 62, are in the order of R and W, bits 0 and 1.
      int here = (int) (s.ssirwe ? e >>> 61 : e) & 3;
      int before = granted;
      granted &= here;
      if (here == 0) {
        if (caches && s.keepsFaults) {
          w.unit.walkCaches().absent.fill(w.seenAbsent, Tags.second(space.did), gpa, shift, 1);
        }
        return missing(space, wanted);
      }
      boolean leaf = level == 1 || (e & PS) != 0;
      if ((e & (leaf ? s.secondLeafReserved[level] : s.secondPointerReserved)) != 0) {
        return space.legacy ? Reason.LSS_2 : Reason.SSS_3;
      }
      boolean denied = leaf && (granted == 0 || (check && (wanted & ~granted) != 0));
      if (space.ssade) {
        boolean written = leaf && !denied && check && (wanted & Access.WRITE) != 0;
        long bits = written ? A | D : A;
        if ((e & bits) != bits) {
          if (!space.pwsnp) {
            return Reason.SSS_5;
          }
          EntryUpdate updated = update(s, w, at, e, bits);
          if (updated == EntryUpdate.CHANGED) {
            granted = before;
            continue; // the entry is read again
          }
          if (updated != EntryUpdate.DONE) {
            return Reason.SSS_6;
          }
          e |= bits;
        }
      }
      if (denied) {
        return granted == 0 && !(space.legacy && check)
            ? missing(space, wanted)
            : denied(space, wanted, granted);
      }
      if (leaf) {
        result(space, w, gpa, e, at, shift, granted);
        return null;
      }
      table = e & ADDR;
      shift -= 9;
      if (caches && (shift == 12 || s.worst)) {
        w.unit
            .walkCaches()
            .secondStage
            .fill(
                w.seenSecond,
                Tags.second(space.did),
                gpa,
                shift + 9,
                TablePointer.of(table, shift, granted));
      }
    }
  }

  /** Sets A or D in an entry of either stage. */
  static EntryUpdate update(Setup s, Workspace w, long at, long e, long bits) {
    w.count(s, 1, 3, 0);
    return EntryUpdate.set(s.memory, at, e, bits, w.dry());
  }

  private static void result(
      Space space, Workspace w, long gpa, long e, long at, int shift, int granted) {
    long offset = (1L << shift) - 1;
    w.spa = (e & ADDR & ~offset) | (gpa & offset);
    w.ssShift = shift;
    w.ssPermissions = granted;
    w.ssSnoop = SecondStagePte.SNP.isSet(e);
    w.ssType = space.emte ? SecondStagePte.EMT.getInt(e) | SecondStagePte.IPAT.getInt(e) << 3 : 0;
    w.ssLeaf = e;
    w.ssLeafAt = at;
    w.mustSetDirty |= space.ssade && (e & D) == 0;
  }

  private static Reason unreadable(Space space, int level) {
    boolean top = level == space.ssLevels;
    return space.legacy ? top ? Reason.LCT_4_3 : Reason.LSS_1 : top ? Reason.SSS_4 : Reason.SSS_1;
  }

  /** There is no entry; legacy mode calls that a missing permission. */
  private static Reason missing(Space space, int wanted) {
    return space.legacy ? (wanted & Access.WRITE) != 0 ? Reason.LGN_2 : Reason.LGN_3 : Reason.SSS_2;
  }

  static Reason denied(Space space, int wanted, int granted) {
    boolean write = (wanted & ~granted & Access.WRITE) != 0;
    return space.legacy ? write ? Reason.LGN_2 : Reason.LGN_3 : write ? Reason.SGN_6 : Reason.SGN_7;
  }
}
