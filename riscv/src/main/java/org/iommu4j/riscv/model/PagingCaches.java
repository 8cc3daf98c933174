package org.iommu4j.riscv.model;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.iotlb.Geometry;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.unit.TablePointer;
import org.iommu4j.riscv.layout.Pte;

/**
 * What shortens walks: first-stage pointers by IOVA, and second-stage leaves by guest-physical
 * address. §3.8.2 permits both; their tags are those of {@link Tags}.
 */
final class PagingCaches {
  /** What a {@link TablePointer} carries: G of an entry above. */
  private static final int GLOBAL = 1;

  // A second-stage leaf: the entry's own low bits, its size where the page offset has room.
  private static final Field LEAF_SHIFT = Field.bits("shift", 61, 56);
  private static final Field LEAF_FLAGS = Field.bits("flags", 7, 0);
  private static final Field LEAF_PBMT = Field.bits("PBMT", 9, 8);
  private static final Field LEAF_PAGE = Field.bits("page", 55, 12);

  final Iotlb firstStage;
  final Iotlb secondStage;

  /** Worst-case behaviour: pointers of every level are kept, not only those of the last. */
  final boolean everyLevel;

  PagingCaches(Geometry geometry, boolean everyLevel) {
    this.everyLevel = everyLevel;
    firstStage = new Iotlb(geometry);
    secondStage = new Iotlb(geometry);
  }

  /** Keeps where the table is whose entries cover {@code 2^entryShift} bytes around an address. */
  void keepPointer(Workspace w, long tag, long iova, long table, int entryShift, boolean isGlobal) {
    firstStage.fill(
        w.seenPointers, tag, iova, entryShift + 9, pointer(table, entryShift, isGlobal));
  }

  static long pointer(long table, int entryShift, boolean global) {
    return TablePointer.of(table, entryShift, global ? GLOBAL : 0);
  }

  static boolean global(long pointer) {
    return TablePointer.carried(pointer) == GLOBAL;
  }

  /** The bit by which {@code Scope.data} tells global pointers from others. */
  static long globalMask() {
    return TablePointer.CARRIED.of(GLOBAL);
  }

  /** Whether an implicit read at {@code gpa} is answered from here; fills spa and gpte. */
  boolean implicitHit(Setup s, DcEntry dc, Workspace w, long gpa) {
    if (gpa >>> dc.gpaBits != 0) {
      return false;
    }
    long leaf = secondStage.lookup(Tags.secondStage(dc.gscid), gpa);
    if (leaf == Iotlb.MISS) {
      return false;
    }
    long e = LEAF_FLAGS.in(leaf) | Pte.PBMT.of(LEAF_PBMT.get(leaf));
    boolean mustSetD = dc.sade && (e & SecondStageWalker.W) != 0 && (e & SecondStageWalker.D) == 0;
    if ((e & SecondStageWalker.R) == 0 || mustSetD) {
      return false;
    }
    long offset = (1L << LEAF_SHIFT.getInt(leaf)) - 1;
    w.spa = (LEAF_PAGE.in(leaf) & ~offset) | (gpa & offset);
    w.gpte = e;
    w.gShift = LEAF_SHIFT.getInt(leaf);
    return true;
  }

  /** Keeps the leaf that the workspace's last second-stage walk ended at. */
  void fillSecondStage(DcEntry dc, Workspace w, long gpa) {
    long leaf =
        LEAF_PAGE.in(w.spa)
            | LEAF_SHIFT.of(w.gShift)
            | LEAF_FLAGS.in(w.gpte)
            | LEAF_PBMT.of(Pte.PBMT.get(w.gpte));
    secondStage.fill(w.seenLeaves, Tags.secondStage(dc.gscid), gpa, w.gShift, leaf);
  }
}
