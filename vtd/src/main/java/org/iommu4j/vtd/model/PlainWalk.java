package org.iommu4j.vtd.model;

import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.core.unit.TablePointer;

/**
 * The walk of nearly every request, without all that can be otherwise: an untranslated read or
 * write of a user through entries of which nothing has to be said or done but to follow them.
 *
 * <p>It decides nothing. Whatever is out of the ordinary, from a missing permission to an A bit to
 * set, is {@link #UNDECIDED}: nothing has changed, and {@link Translator} starts anew with every
 * check in the specification's order. So the order of checks is of no matter here, and one mask
 * says whether an entry is ordinary.
 *
 * <p>Methods here stay below 325 bytes of bytecode, up to which the compiler inlines.
 */
final class PlainWalk {
  /** The full process has to decide. No address: those have 52 bits. */
  static final long UNDECIDED = -1;

  private static final long FIRST = FirstStageWalker.P | FirstStageWalker.US | FirstStageWalker.A;
  private static final long PS = SecondStageWalker.PS;
  private static final long ADDR = SecondStageWalker.ADDR;
  private static final long A = SecondStageWalker.A;
  private static final long D = SecondStageWalker.D;

  private PlainWalk() {}

  /**
   * All stages for {@code iova}; {@code shift}, {@code permissions} and what a cache keeps are in
   * the workspace.
   *
   * @param need READ and WRITE, one of them or both
   * @return the physical address, or {@link #UNDECIDED}
   */
  static long walk(Setup s, Space space, Workspace w, long iova, int need) {
    w.mustSetDirty = false;
    long pa =
        space.kind == Space.SECOND
            ? second(s, space, w, iova, need)
            : first(s, space, w, iova, need);
    // A write needs the D bits of both stages to be set.
    boolean update = (need & 2) != 0 && w.mustSetDirty;
    return update || pa == UNDECIDED || Setup.interrupt(pa) ? UNDECIDED : pa;
  }

  /** The second stage; its leaf is in the {@code ss...} fields. */
  private static long second(Setup s, Space space, Workspace w, long gpa, int need) {
    if (gpa >>> space.ssBits != 0) {
      return UNDECIDED;
    }
    long pointer = space.secondStart;
    if (s.cached) {
      long kept = w.unit.walkCaches().secondStage.lookup(Tags.second(space.did), gpa);
      pointer = kept == Iotlb.MISS ? pointer : kept;
    }
    int shift = TablePointer.entryShift(pointer);
    long granted = TablePointer.carried(pointer);
    long ordinary = space.ssade ? A | need : need; // R and W are where READ and WRITE are
    long ends = PS | s.secondPointerReserved;
    long at = TablePointer.table(pointer) + ((gpa >>> shift & 0x1ff) << 3);
    while (true) {
      MemoryRegion r = w.region(s, at);
      if (r == MemoryRegion.NONE) {
        return UNDECIDED;
      }
      do { // as long as it is this region, what is known of it stays in registers
        long e = r.getLong(at);
        if ((e & ordinary) != ordinary) {
          return UNDECIDED;
        }
        if (shift == 12 || (e & ends) != 0) {
          if (s.cached && shift == 12 && TablePointer.entryShift(pointer) != 12) {
            keepTable(space, w, gpa, TablePointer.of(at & ADDR, 12, (int) granted));
          }
          return (granted & need) == need
              ? secondLeaf(s, space, w, gpa, e, at, shift, (int) (granted & e) & 3)
              : UNDECIDED;
        }
        granted &= e;
        shift -= 9;
        at = (e & ADDR) + ((gpa >>> shift & 0x1ff) << 3);
      } while (r.holds(at));
    }
  }

  /** Keeps the last table for its neighbours. */
  private static void keepTable(Space space, Workspace w, long gpa, long pointer) {
    w.unit.walkCaches().secondStage.fill(w.seenSecond, Tags.second(space.did), gpa, 21, pointer);
  }

  private static long secondLeaf(
      Setup s, Space space, Workspace w, long gpa, long e, long at, int shift, int granted) {
    boolean leaf = shift == 12 || (e & PS) != 0;
    if (!leaf || (e & s.secondLeafReserved[(shift - 3) / 9]) != 0) {
      return UNDECIDED;
    }
    boolean clean = space.ssade && (e & D) == 0;
    w.mustSetDirty |= clean;
    w.ssShift = shift;
    w.ssPermissions = granted;
    w.ssLeaf = e;
    w.ssLeafAt = at;
    w.ssSnoop = (e & 1 << 11) != 0;
    w.ssType = 0;
    long offset = (1L << shift) - 1;
    return (e & ADDR & ~offset) | (gpa & offset);
  }

  /** The first stage, and behind it the second if there is one. */
  private static long first(Setup s, Space space, Workspace w, long iova, int need) {
    if (!FirstStageWalker.canonical(space.fsLevels, iova)) {
      return UNDECIDED;
    }
    long pointer = s.cached ? start(space, w, iova) : space.start;
    int shift = TablePointer.entryShift(pointer);
    long table = TablePointer.table(pointer);
    int granted = TablePointer.carried(pointer);
    if ((granted & FirstStageWalker.USER) == 0) {
      return UNDECIDED; // a supervisor's walk came this way
    }
    long ordinary = space.eafe ? FIRST | FirstStageWalker.EA : FIRST;
    while (true) {
      long at = entryAddress(s, space, w, table + ((iova >>> shift & 0x1ff) << 3));
      if (at == UNDECIDED) {
        return UNDECIDED;
      }
      MemoryRegion r = w.region(s, at);
      if (r == MemoryRegion.NONE) {
        return UNDECIDED;
      }
      long e = r.getLong(at);
      if ((e & ordinary) != ordinary) {
        return UNDECIDED;
      }
      if (shift == 12 || (e & PS) != 0) {
        long gpa = firstLeaf(s, w, iova, e, shift, granted, need);
        if (gpa == UNDECIDED) {
          return UNDECIDED;
        }
        if (s.cached && shift == 12 && TablePointer.entryShift(pointer) != 12) {
          keepPointer(space, w, iova, TablePointer.of(table, 12, granted));
        }
        return space.kind == Space.FIRST ? gpa : second(s, space, w, gpa, need);
      }
      if ((e & s.firstPointerReserved) != 0) {
        return UNDECIDED;
      }
      granted &= (e & FirstStageWalker.RW) != 0 ? -1 : ~1;
      table = e & ADDR;
      shift -= 9;
    }
  }

  /** The address that a first-stage leaf gives, if it has what is needed. */
  private static long firstLeaf(
      Setup s, Workspace w, long iova, long e, int shift, int granted, int need) {
    boolean writable = (e & FirstStageWalker.RW) != 0 && (granted & 1) != 0;
    boolean clean = (e & FirstStageWalker.D) == 0;
    if ((e & s.firstLeafReserved[(shift - 3) / 9]) != 0
        || ((need & 2) != 0 && (!writable || clean))) {
      return UNDECIDED;
    }
    w.mustSetDirty = clean;
    w.fsShift = shift;
    w.fsWritable = writable;
    w.fsUser = true;
    long offset = (1L << shift) - 1;
    w.gpa = (e & ADDR & ~offset) | (iova & offset);
    return w.gpa;
  }

  /** The physical address of a first-stage entry. */
  private static long entryAddress(Setup s, Space space, Workspace w, long gpa) {
    if (space.kind == Space.FIRST) {
      return gpa;
    }
    int need = space.ssade ? 3 : 1;
    if (s.cached) {
      long kept = w.unit.walkCaches().guest.lookup(Tags.second(space.did), gpa);
      if (kept != Iotlb.MISS && (TlbData.USER.getInt(kept) & need) == need) {
        return TlbData.pa(kept, gpa);
      }
    }
    w.mustSetDirty = false;
    long at = second(s, space, w, gpa, need);
    if (at == UNDECIDED || (space.ssade && w.mustSetDirty)) {
      return UNDECIDED;
    }
    if (s.cached) {
      keepPage(space, w, gpa, at);
    }
    return at;
  }

  /** Keeps where a page of first-stage tables is. */
  private static void keepPage(Space space, Workspace w, long gpa, long pa) {
    long data = TlbData.of(pa, w.ssShift, w.ssPermissions, 0, true, false, 0);
    w.unit.walkCaches().guest.fill(w.seenGuest, Tags.second(space.did), gpa, w.ssShift, data);
  }

  /** Where the first stage starts: at the pointer that is cached, or at the root. */
  private static long start(Space space, Workspace w, long iova) {
    long pointer = w.unit.walkCaches().firstStage.lookup(space.tag, iova);
    return pointer == Iotlb.MISS ? space.start : pointer;
  }

  /** Keeps the last table for its neighbours. */
  private static void keepPointer(Space space, Workspace w, long iova, long pointer) {
    w.unit.walkCaches().firstStage.fill(w.seenFirst, space.tag, iova, 21, pointer);
  }
}
