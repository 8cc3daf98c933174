package org.iommu4j.vtd.model;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.memory.EntryUpdate;
import org.iommu4j.core.unit.TablePointer;
import org.iommu4j.vtd.layout.FirstStagePte;
import org.iommu4j.vtd.layout.Reason;
import org.jspecify.annotations.Nullable;

/**
 * The first-stage walk, alone or with every table behind a second stage. §3.6, §3.8.
 *
 * <p>An entry that is not present or malformed ends the walk where it is met, and A is set in every
 * entry that was used. Permissions are those of all levels: they are looked at when all are known.
 */
final class FirstStageWalker {
  // Compile-time masks of the inner loop.
  static final long P = FirstStagePte.P.mask();
  static final long RW = FirstStagePte.RW.mask();
  static final long US = FirstStagePte.US.mask();
  static final long A = FirstStagePte.A.mask();
  static final long D = FirstStagePte.D.mask();
  static final long PS = FirstStagePte.PS.mask();
  static final long EA = FirstStagePte.EA.mask();
  static final long ADDR = FirstStagePte.ADDR.mask();

  /** Granted so far, as {@link WalkCaches} keeps it. */
  private static final int WRITABLE = 1;

  static final int USER = 2;

  private FirstStageWalker() {}

  /** Whether all bits from the sign bit on are the same. */
  static boolean canonical(int levels, long iova) {
    return Long.compareUnsigned((iova >> 11 + 9 * levels) + 1, 1) <= 0;
  }

  /**
   * Translates {@code iova}; the results are {@code gpa} and the {@code fs...} fields of the
   * workspace.
   */
  static @Nullable Reason translate(Setup s, Space space, Workspace w, long iova) {
    if (!canonical(space.fsLevels, iova)) {
      w.missShift = 64;
      return Reason.SGN_1;
    }
    boolean nested = space.kind == Space.NESTED;
    boolean caches = s.cached && !w.dry();
    long pointer = space.start;
    if (caches) {
      w.count(s, 2, 6, 0);
      long kept = w.unit.walkCaches().firstStage.lookup(space.tag, iova);
      if (kept != Iotlb.MISS) {
        w.count(s, 2, 7, 0);
        pointer = kept;
      }
    }
    int shift = TablePointer.entryShift(pointer);
    long table = TablePointer.table(pointer);
    int granted = TablePointer.carried(pointer);
    while (true) {
      int level = (shift - 3) / 9;
      long at = table + ((iova >>> shift & 0x1ff) << 3);
      w.missShift = shift;
      if (nested) {
        Reason r = guestEntry(s, space, w, at, level);
        w.missShift = shift;
        if (r != null) {
          return r;
        }
        at = w.spa;
      }
      w.count(s, 1, 0, level - 1);
      if (!w.load(s, at)) {
        return level == space.fsLevels ? Reason.SFS_4 : Reason.SFS_1;
      }
      long e = w.entry();
      if (w.traced()) {
        w.note("first-stage entry, level " + level, FirstStagePte.LAYOUT, at, e);
      }
      if ((e & P) == 0) {
        return Reason.SFS_2;
      }
      int now = granted & ((e & RW) != 0 ? -1 : ~WRITABLE) & ((e & US) != 0 ? -1 : ~USER);
      boolean leaf = level == 1 || (e & PS) != 0;
      if ((e & (leaf ? s.firstLeafReserved[level] : s.firstPointerReserved)) != 0) {
        return Reason.SFS_3;
      }
      Reason denied = leaf ? denied(space, w, now) : null;
      boolean written = leaf && denied == null && w.checks() && w.writes();
      long bits = A | (space.eafe ? EA : 0) | (written ? D : 0);
      if ((e & bits) != bits) {
        if (!space.pwsnp) {
          return Reason.SFS_9;
        }
        if (nested && (w.ssPermissions & Access.WRITE) == 0) {
          return Reason.SFS_8;
        }
        EntryUpdate updated = SecondStageWalker.update(s, w, at, e, bits);
        if (updated == EntryUpdate.CHANGED) {
          continue; // the entry is read again
        }
        if (updated != EntryUpdate.DONE) {
          return Reason.SFS_10;
        }
        e |= bits;
      }
      if (denied != null) {
        return denied;
      }
      granted = now;
      if (leaf) {
        long offset = (1L << shift) - 1;
        w.gpa = (e & ADDR & ~offset) | (iova & offset);
        w.fsShift = shift;
        w.fsWritable = (granted & WRITABLE) != 0;
        w.fsUser = (granted & USER) != 0;
        w.fsLeaf = e;
        w.fsLeafAt = at;
        w.fsLeafWritable = !nested || (w.ssPermissions & Access.WRITE) != 0;
        w.mustSetDirty |= (e & D) == 0;
        return null;
      }
      table = e & ADDR;
      shift -= 9;
      if (caches && (shift == 12 || s.worst)) {
        w.unit
            .walkCaches()
            .firstStage
            .fill(w.seenFirst, space.tag, iova, shift + 9, TablePointer.of(table, shift, granted));
      }
    }
  }

  /** §3.6.1: user requests need U/S, writes R/W, of a supervisor only with WPE. */
  private static @Nullable Reason denied(Space space, Workspace w, int granted) {
    if (!w.permissive && !w.supervisor && (granted & USER) == 0) {
      return Reason.SGN_2;
    }
    boolean needsRw = w.checks() && w.writes() && (!w.supervisor || space.wpe);
    return needsRw && (granted & WRITABLE) == 0 ? Reason.SGN_6 : null;
  }

  /** The physical address of a first-stage entry, in {@code spa}; what is granted there, too. */
  private static @Nullable Reason guestEntry(
      Setup s, Space space, Workspace w, long at, int level) {
    if (at >>> space.ssBits != 0) {
      return Reason.SFS_5;
    }
    // With second-stage A/D bits the page counts as written: an update may follow.
    int need = space.ssade ? Access.READ | Access.WRITE : Access.READ;
    boolean dirtySoFar = w.mustSetDirty;
    if (s.cached && !w.dry()) {
      long kept = w.unit.walkCaches().guest.lookup(Tags.second(space.did), at);
      if (kept != Iotlb.MISS && (TlbData.USER.getInt(kept) & need) == need) {
        w.spa = TlbData.pa(kept, at);
        w.ssPermissions = TlbData.USER.getInt(kept);
        return null;
      }
    }
    Reason r = SecondStageWalker.translate(s, space, w, at, need, true);
    w.mustSetDirty = dirtySoFar;
    if (r == null) {
      if (s.cached && !w.dry()) {
        w.unit
            .walkCaches()
            .guest
            .fill(
                w.seenGuest,
                Tags.second(space.did),
                at,
                w.ssShift,
                TlbData.of(w.spa, w.ssShift, w.ssPermissions, 0, true, false, 0));
      }
      return null;
    }
    // §7.1.3: no permission for the table is the first stage's fault; the rest is the second's.
    if (r == Reason.SGN_7 || r == Reason.SGN_6) {
      return level == space.fsLevels ? Reason.SFS_6 : Reason.SFS_7;
    }
    return r;
  }
}
