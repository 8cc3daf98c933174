package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.GuestPte;
import org.iommu4j.amdvi.layout.HostPte;
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

  private static final long ADDRESS = HostWalker.ADDRESS;
  private static final int PERMISSIONS = HostPte.IR.lo();
  private static final int NEXT = HostPte.NEXT_LEVEL.lo();

  /** What tells a pointer to the next level: where it leads, and what is reserved. */
  private static final long POINTER = HostPte.NEXT_LEVEL.mask() | HostPte.POINTER_RESERVED;

  private static final long GUEST = GuestWalker.P | GuestWalker.US;

  /** What an entry of the GCR3 table is looked at for: V, and what is reserved. */
  private static final long GCR3 = GuestPte.GCR3_V.mask() | GuestPte.GCR3_LAYOUT.reservedMask(0);

  private static final int READ = 1;
  private static final int WRITE = 2;

  private PlainWalk() {}

  /**
   * All tables for {@code iova}; what a cache keeps is in the workspace.
   *
   * @param need READ and WRITE, one of them or both
   * @return the physical address, or {@link #UNDECIDED}
   */
  static long walk(Setup s, DeviceEntry d, Workspace w, long iova, int need) {
    w.mustSetDirty = false;
    long pa = d.guest(w.pasid) ? guest(s, d, w, iova, need) : host(s, d, w, iova, need);
    // A write needs the D bits of all tables to be set.
    return (need & WRITE) != 0 && w.mustSetDirty ? UNDECIDED : pa;
  }

  private static long host(Setup s, DeviceEntry d, Workspace w, long gpa, int need) {
    if ((gpa & d.beyond) != 0) {
      return UNDECIDED;
    }
    long pointer = d.start;
    if (s.cached) {
      long kept = w.unit.walkCaches().host.lookup(d.hostTag, gpa);
      pointer = kept == Iotlb.MISS ? pointer : kept;
    }
    int shift = TablePointer.entryShift(pointer);
    long granted = (long) TablePointer.carried(pointer) << PERMISSIONS;
    long ordinary = d.ordinary | (long) need << PERMISSIONS;
    long next = (long) (shift - 12) / 9 << NEXT;
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
        if (shift == 12 || (e & POINTER) != next) {
          int before = (int) (granted >>> PERMISSIONS) & 3;
          if (s.cached && shift == 12 && TablePointer.entryShift(pointer) != 12) {
            keepTable(d, w, gpa, TablePointer.of(at & ADDRESS, 12, before));
          }
          return (before & need) == need ? page(d, w, gpa, e, shift, before) : UNDECIDED;
        }
        granted &= e;
        shift -= 9;
        next -= 1L << NEXT;
        at = (e & ADDRESS) + ((gpa >>> shift & 0x1ff) << 3);
      } while (r.holds(at));
    }
  }

  /** Keeps the last table for its neighbours. */
  private static void keepTable(DeviceEntry d, Workspace w, long gpa, long pointer) {
    w.unit.walkCaches().host.fill(w.seenHost, d.hostTag, gpa, 21, pointer);
  }

  private static long page(DeviceEntry d, Workspace w, long gpa, long e, int shift, int before) {
    int size = shift;
    int next = (int) (e >>> NEXT) & 7;
    if (next != 0) {
      size = HostPte.sizeShift(e);
      if (next != HostPte.SIZE_IN_ADDRESS || size <= shift || size >= shift + 9) {
        return UNDECIDED; // skipped levels are looked at closely, too
      }
    }
    if (size == 57 || (e & HostPte.PAGE_RESERVED) != 0) {
      return UNDECIDED;
    }
    w.mustSetDirty |= d.setsDirty && (e & HostWalker.D) == 0;
    w.hostShift = size;
    w.hostPermissions = before & (int) (e >>> PERMISSIONS);
    w.hostLeaf = e;
    long offset = (1L << size) - 1;
    return (e & ADDRESS & ~offset) | (gpa & offset);
  }

  private static long guest(Setup s, DeviceEntry d, Workspace w, long iova, int need) {
    long pointer = start(s, d, w, iova);
    if (pointer == UNDECIDED) {
      return UNDECIDED;
    }
    int shift = TablePointer.entryShift(pointer);
    long table = TablePointer.table(pointer);
    int granted = TablePointer.carried(pointer);
    long ordinary = s.guestAccessed ? GUEST | GuestWalker.A : GUEST;
    while (true) {
      long at = entryAddress(s, d, w, table + ((iova >>> shift & 0x1ff) << 3));
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
      int now = granted(granted, e);
      if (shift == 12 || (e & GuestWalker.PS) != 0) {
        long gpa = guestPage(s, w, iova, e, shift, now, need);
        if (gpa == UNDECIDED) {
          return UNDECIDED;
        }
        if (s.cached && shift == 12 && TablePointer.entryShift(pointer) != 12) {
          keepPointer(d, w, iova, TablePointer.of(table, 12, granted));
        }
        return d.mode == 0 ? gpa : host(s, d, w, gpa, need);
      }
      granted = now;
      table = e & ADDRESS;
      shift -= 9;
    }
  }

  private static int granted(int before, long e) {
    return before
        & ((e & GuestWalker.RW) != 0 ? -1 : ~GuestWalker.WRITABLE)
        & (e < 0 ? ~GuestWalker.EXECUTABLE : -1); // NX is bit 63
  }

  private static long guestPage(
      Setup s, Workspace w, long iova, long e, int shift, int granted, int need) {
    long below = shift == 12 ? 0 : (1L << shift) - (1L << 13);
    boolean clean = s.guestDirty && (e & GuestWalker.D) == 0;
    boolean write = (need & WRITE) != 0;
    if (shift > 30
        || (e & below) != 0
        || (write && (clean || (granted & GuestWalker.WRITABLE) == 0))) {
      return UNDECIDED;
    }
    w.mustSetDirty = clean;
    w.guestShift = shift;
    GuestWalker.grant(s, w, granted);
    long offset = (1L << shift) - 1;
    w.gpa = (e & ADDRESS & ~offset) | (iova & offset);
    return w.gpa;
  }

  /** Where the guest tables start: at the pointer that is cached, or at the PASID's root. */
  private static long start(Setup s, DeviceEntry d, Workspace w, long iova) {
    if (!GuestWalker.canonical(d, iova, w.pasid > 0)) {
      return UNDECIDED;
    }
    if (s.cached) {
      long kept =
          w.unit
              .walkCaches()
              .guest
              .lookup(Tags.guest(d.domainId, Math.max(w.pasid, 0), d.nested()), iova);
      if (kept != Iotlb.MISS) {
        // A supervisor's request may have left a pointer that is not for users.
        return (TablePointer.carried(kept) & GuestWalker.USER) != 0 ? kept : UNDECIDED;
      }
    }
    return root(s, d, w);
  }

  /** The pointer to the page tables of the request's PASID, by the GCR3 table. */
  private static long root(Setup s, DeviceEntry d, Workspace w) {
    int pasid = Math.max(w.pasid, 0);
    if (pasid >>> 9 * d.gcr3Levels != 0 || pasid >>> s.pasidBits != 0) {
      return UNDECIDED;
    }
    long table = d.gcr3;
    for (int index = 9 * d.gcr3Levels - 9; index >= 0; index -= 9) {
      long entry = table + ((pasid >>> index & 0x1ff) << 3);
      long at = s.gcr3Nested ? entryAddress(s, d, w, entry) : entry;
      if (at == UNDECIDED) {
        return UNDECIDED;
      }
      MemoryRegion r = w.region(s, at);
      if (r == MemoryRegion.NONE) {
        return UNDECIDED;
      }
      long e = r.getLong(at);
      if ((e & GCR3) != GuestPte.GCR3_V.mask()) {
        return UNDECIDED;
      }
      table = e & ADDRESS;
    }
    return TablePointer.of(table, 3 + 9 * d.guestLevels, WalkCaches.ALL);
  }

  /** The physical address of a guest table's entry, or of one of the GCR3 table. */
  private static long entryAddress(Setup s, DeviceEntry d, Workspace w, long gpa) {
    if (d.mode == 0) {
      return gpa;
    }
    if (s.cached) {
      long kept = w.unit.walkCaches().tables.lookup(d.hostTag, gpa);
      if (kept != Iotlb.MISS) {
        return TlbData.pa(kept, gpa);
      }
    }
    w.mustSetDirty = false;
    long at = host(s, d, w, gpa, READ);
    // An update of the entry would write to its page: the D bit of a writable one has to be set.
    if (at == UNDECIDED || (w.mustSetDirty && (w.hostPermissions & WRITE) != 0)) {
      return UNDECIDED;
    }
    if (s.cached) {
      keepPage(d, w, gpa, at);
    }
    return at;
  }

  /** Keeps where a page of guest tables is. */
  private static void keepPage(DeviceEntry d, Workspace w, long gpa, long pa) {
    long data = TlbData.of(pa, w.hostShift, w.hostPermissions, 0, true, false, false);
    w.unit.walkCaches().tables.fill(w.seenTables, d.hostTag, gpa, w.hostShift, data);
  }

  /** Keeps the last table for its neighbours. */
  private static void keepPointer(DeviceEntry d, Workspace w, long iova, long pointer) {
    long tag = Tags.guest(d.domainId, Math.max(w.pasid, 0), d.nested());
    w.unit.walkCaches().guest.fill(w.seenGuest, tag, iova, 21, pointer);
  }
}
