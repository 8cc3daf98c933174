package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.HostPte;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.memory.MemoryRegion;

/**
 * The walk of nearly every request, without all that can be otherwise: an untranslated read or
 * write of a user through entries of which nothing has to be said or done but to follow them.
 *
 * <p>It decides nothing. Whatever is out of the ordinary, from a missing permission to an A bit to
 * set, is {@link #UNDECIDED}: nothing has changed, and {@link Translator} starts anew with every
 * check in the specification's order. So the order of checks is of no matter here, and one mask
 * says whether an entry is ordinary.
 */
final class PlainWalk {
  /** The full process has to decide. No address: those have 52 bits. */
  static final long UNDECIDED = -1;

  private static final long PR = HostWalker.PR;
  private static final long ADDRESS = HostWalker.ADDRESS;
  private static final int PERMISSIONS = HostPte.IR.lo();
  private static final int NEXT = HostPte.NEXT_LEVEL.lo();
  private static final long GUEST = GuestWalker.P | GuestWalker.US;
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
    long pa =
        !d.guest(w.pasid)
            ? host(s, d, w, iova, need)
            : d.mode == 0 ? guest(s, d, w, iova, need) : nested(s, d, w, iova, need);
    // A write needs the D bits of all tables to be set.
    return (need & WRITE) != 0 && w.mustSetDirty ? UNDECIDED : pa;
  }

  private static long host(Setup s, DeviceEntry d, Workspace w, long gpa, int need) {
    if (d.mode > s.hostLevels || (d.mode < 6 && gpa >>> 12 + 9 * d.mode != 0)) {
      return UNDECIDED;
    }
    long tag = Tags.host(d.domainId);
    long kept = s.cached ? w.unit.walkCaches().host.lookup(tag, gpa) : Iotlb.MISS;
    int shift = kept == Iotlb.MISS ? 3 + 9 * d.mode : WalkCaches.entryShift(kept);
    long table = kept == Iotlb.MISS ? d.root : WalkCaches.table(kept);
    int granted = kept == Iotlb.MISS ? 3 : WalkCaches.granted(kept);
    boolean walked = false;
    long always = d.setsAccessed ? PR | HostWalker.A : PR;
    while (true) {
      long at = table + ((gpa >>> shift & 0x1ff) << 3);
      MemoryRegion r = w.region(s, at);
      if (r == MemoryRegion.NONE) {
        return UNDECIDED;
      }
      long e = r.getLong(at);
      int now = granted & (int) (e >>> PERMISSIONS);
      if ((e & always) != always || (now & need) != need) {
        return UNDECIDED;
      }
      int next = (int) (e >>> NEXT) & 7;
      if (next == 0 || next == HostPte.SIZE_IN_ADDRESS) {
        if (s.cached && walked && shift == 12) {
          w.unit
              .walkCaches()
              .host
              .fill(w.seenHost, tag, gpa, 21, WalkCaches.pointer(table, 12, granted));
        }
        return page(d, w, gpa, e, at, shift, next, now);
      }
      if (3 + 9 * next != shift - 9 || (e & HostPte.POINTER_RESERVED) != 0) {
        return UNDECIDED; // skipped levels are looked at closely
      }
      granted = now;
      table = e & ADDRESS;
      shift -= 9;
      walked = true;
    }
  }

  private static long page(
      DeviceEntry d, Workspace w, long gpa, long e, long at, int shift, int next, int granted) {
    int size = next == 0 ? shift : HostPte.sizeShift(e);
    boolean illegal = next == 0 ? shift == 57 : size <= shift || size >= shift + 9;
    if (illegal || (e & HostPte.PAGE_RESERVED) != 0) {
      return UNDECIDED;
    }
    w.mustSetDirty |= d.setsDirty && (e & HostWalker.D) == 0;
    w.hostShift = size;
    w.hostPermissions = granted & 3;
    w.hostCoherent = HostPte.FC.isSet(e);
    w.hostUntranslated = HostPte.U.isSet(e);
    w.hostLeaf = e;
    w.hostLeafAt = at;
    long offset = (1L << size) - 1;
    return (e & ADDRESS & ~offset) | (gpa & offset);
  }

  private static long guest(Setup s, DeviceEntry d, Workspace w, long iova, int need) {
    long pointer = start(s, d, w, iova);
    if (pointer == UNDECIDED) {
      return UNDECIDED;
    }
    int shift = WalkCaches.entryShift(pointer);
    long table = WalkCaches.table(pointer);
    int granted = WalkCaches.granted(pointer);
    long always = s.guestAccessed ? GUEST | GuestWalker.A : GUEST;
    while (true) {
      long at = table + ((iova >>> shift & 0x1ff) << 3);
      MemoryRegion r = w.region(s, at);
      if (r == MemoryRegion.NONE) {
        return UNDECIDED;
      }
      long e = r.getLong(at);
      if ((e & always) != always) {
        return UNDECIDED;
      }
      int now = granted(granted, e);
      if (shift == 12 || (e & GuestWalker.PS) != 0) {
        long pa = guestPage(s, w, iova, e, shift, now, need);
        if (pa != UNDECIDED) {
          keepPointer(s, d, w, iova, pointer, table, shift, granted);
        }
        return pa;
      }
      granted = now;
      table = e & ADDRESS;
      shift -= 9;
    }
  }

  private static long nested(Setup s, DeviceEntry d, Workspace w, long iova, int need) {
    long pointer = start(s, d, w, iova);
    if (pointer == UNDECIDED) {
      return UNDECIDED;
    }
    int shift = WalkCaches.entryShift(pointer);
    long table = WalkCaches.table(pointer);
    int granted = WalkCaches.granted(pointer);
    long always = s.guestAccessed ? GUEST | GuestWalker.A : GUEST;
    while (true) {
      long at = entryAddress(d, w, table + ((iova >>> shift & 0x1ff) << 3));
      if (at == UNDECIDED) {
        return UNDECIDED;
      }
      MemoryRegion r = w.region(s, at);
      if (r == MemoryRegion.NONE) {
        return UNDECIDED;
      }
      long e = r.getLong(at);
      if ((e & always) != always) {
        return UNDECIDED;
      }
      int now = granted(granted, e);
      if (shift == 12 || (e & GuestWalker.PS) != 0) {
        w.mustSetDirty = false;
        long gpa = guestPage(s, w, iova, e, shift, now, need);
        if (gpa == UNDECIDED) {
          return UNDECIDED;
        }
        keepPointer(s, d, w, iova, pointer, table, shift, granted);
        return host(s, d, w, gpa, need);
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
    w.mustSetDirty |= clean;
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
    if (!s.cached) {
      return UNDECIDED; // a walk through the GCR3 table is the full process's business
    }
    long kept =
        w.unit
            .walkCaches()
            .guest
            .lookup(Tags.guest(d.domainId, Math.max(w.pasid, 0), d.nested()), iova);
    // A supervisor's request may have left a pointer that is not for users.
    boolean users = (WalkCaches.granted(kept) & GuestWalker.USER) != 0;
    return kept != Iotlb.MISS && users ? kept : UNDECIDED;
  }

  /** The physical address of a guest table's entry. */
  private static long entryAddress(DeviceEntry d, Workspace w, long gpa) {
    long kept = w.unit.walkCaches().tables.lookup(Tags.host(d.domainId), gpa);
    return kept == Iotlb.MISS ? UNDECIDED : TlbData.pa(kept, gpa);
  }

  /** Keeps the last table for its neighbours, unless the walk started at it. */
  private static void keepPointer(
      Setup s,
      DeviceEntry d,
      Workspace w,
      long iova,
      long started,
      long table,
      int shift,
      int granted) {
    if (s.cached && shift != WalkCaches.entryShift(started) && shift == 12) {
      w.unit
          .walkCaches()
          .guest
          .fill(
              w.seenGuest,
              Tags.guest(d.domainId, Math.max(w.pasid, 0), d.nested()),
              iova,
              21,
              WalkCaches.pointer(table, shift, granted));
    }
  }
}
