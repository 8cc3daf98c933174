package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.GuestPte;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.memory.EntryUpdate;
import org.iommu4j.core.unit.TablePointer;
import org.jspecify.annotations.Nullable;

/**
 * The walk of guest (v2) tables: the GCR3 table by PASID, then AMD64 page tables, each table behind
 * the host's if there are any. 48882, "Guest and Nested Address Translation".
 */
final class GuestWalker {
  // Compile-time masks of the inner loop.
  static final long P = GuestPte.P.mask();
  static final long RW = GuestPte.RW.mask();
  static final long US = GuestPte.US.mask();
  static final long A = GuestPte.A.mask();
  static final long D = GuestPte.D.mask();
  static final long PS = GuestPte.PS.mask();
  static final long ADDRESS = GuestPte.ADDRESS.mask();

  /** Granted so far, as {@link WalkCaches} keeps it. */
  static final int WRITABLE = 1;

  static final int USER = 2;
  static final int EXECUTABLE = 4;

  private GuestWalker() {}

  /** Whether an address is one that the tables can translate. */
  static boolean canonical(DeviceEntry d, long iova, boolean signed) {
    int top = 11 + 9 * d.guestLevels;
    // Without sign extension all bits above are 0; with it they are the same.
    return signed ? Long.compareUnsigned((iova >> top) + 1, 1) <= 0 : iova >>> (top + 1) == 0;
  }

  /**
   * Translates {@code iova}; the results are {@code gpa} and the {@code guest...} fields of the
   * workspace.
   */
  static @Nullable Reason translate(Setup s, DeviceEntry d, Workspace w, long iova) {
    int pasid = Math.max(w.pasid, 0);
    w.faultAddress = iova;
    w.missShift = 64;
    // PASID 0 stands for requests without PASID, too: those are not sign-extended.
    if (!canonical(d, iova, w.pasid > 0)) {
      return Reason.GUEST_NOT_CANONICAL;
    }
    boolean caches = s.cached && !w.dry();
    long pointer = Iotlb.MISS;
    long tag = Tags.guest(d.domainId, pasid, d.nested());
    if (caches) {
      pointer = w.unit.walkCaches().guest.lookup(tag, iova);
      if (pointer != Iotlb.MISS && denied(s, w, TablePointer.carried(pointer)) != null) {
        pointer = Iotlb.MISS; // which entry denies what first, the tables tell
      }
    }
    if (pointer == Iotlb.MISS) {
      Reason fault = gcr3(s, d, w, pasid);
      if (fault != null) {
        return fault;
      }
      pointer = TablePointer.of(w.gpa, 3 + 9 * d.guestLevels, WalkCaches.ALL);
    }
    int shift = TablePointer.entryShift(pointer);
    long table = TablePointer.table(pointer);
    int granted = TablePointer.carried(pointer);
    while (true) {
      int level = (shift - 3) / 9;
      long at = table + ((iova >>> shift & 0x1ff) << 3);
      Reason r = entryAddress(s, d, w, at);
      w.missShift = shift;
      if (r != null) {
        return r;
      }
      at = w.spa;
      boolean updatable = (w.hostPermissions & Access.WRITE) != 0;
      w.count(s, Counters.TABLE_READS);
      if (!w.load(s, at)) {
        w.faultAddress = at;
        return Reason.GUEST_TABLE_READ;
      }
      long e = w.entry();
      w.faultAddress = iova;
      if (w.traced()) {
        w.note("guest page table entry, level " + level, GuestPte.LAYOUT, at, e);
      }
      if ((e & P) == 0) {
        return Reason.GUEST_NOT_PRESENT;
      }
      boolean leaf = level == 1 || (e & PS) != 0;
      if (reserved(e, level, leaf)) {
        return Reason.GUEST_RESERVED;
      }
      int now =
          granted
              & ((e & RW) != 0 ? -1 : ~WRITABLE)
              & ((e & US) != 0 ? -1 : ~USER)
              & (e < 0 ? ~EXECUTABLE : -1); // NX is bit 63
      Reason denied = denied(s, w, now);
      if (denied != null) {
        return denied;
      }
      boolean writes = leaf && w.checks() && w.writes();
      long bits = (s.guestAccessed ? A : 0) | (writes && s.guestDirty ? D : 0);
      if ((e & bits) != bits) {
        if (!updatable) {
          w.faultAddress = table + ((iova >>> shift & 0x1ff) << 3);
          return Reason.PERMISSION;
        }
        Rmp rmp = s.rmp;
        if (rmp != null) {
          w.faultAddress = table + ((iova >>> shift & 0x1ff) << 3);
          Reason refused = rmp.update(s, w, at);
          if (refused != null) {
            return refused;
          }
          w.faultAddress = iova;
        }
        EntryUpdate updated = EntryUpdate.set(s.memory, at, e, bits, w.dry());
        if (updated == EntryUpdate.CHANGED) {
          continue; // the entry is read again
        }
        if (updated == EntryUpdate.FAILED) {
          w.faultAddress = at;
          return Reason.GUEST_TABLE_READ;
        }
        e |= bits;
      }
      granted = now;
      if (leaf) {
        long offset = (1L << shift) - 1;
        w.gpa = (e & ADDRESS & ~offset) | (iova & offset);
        w.guestShift = shift;
        grant(s, w, granted);
        w.guestLeaf = e;
        w.guestLeafAt = at;
        w.guestUpdatable = updatable;
        w.mustSetDirty |= s.guestDirty && (e & D) == 0;
        return null;
      }
      table = e & ADDRESS;
      shift -= 9;
      if (caches && (shift == 12 || s.worst)) {
        w.unit
            .walkCaches()
            .guest
            .fill(w.seenGuest, tag, iova, shift + 9, TablePointer.of(table, shift, granted));
      }
    }
  }

  private static boolean reserved(long e, int level, boolean leaf) {
    if (level == 1 || !leaf) {
      return false;
    }
    // A large page has no address bits below its size; bit 12 is PAT.
    long below = (1L << (12 + 9 * (level - 1))) - (1L << 13);
    return level > 3 || (e & below) != 0;
  }

  /** What users and supervisors may do, from what all levels granted. */
  static void grant(Setup s, Workspace w, int granted) {
    int all =
        Access.READ
            | ((granted & WRITABLE) != 0 ? Access.WRITE : 0)
            | (!s.noExecute || (granted & EXECUTABLE) != 0 ? Access.EXECUTE : 0);
    w.guestSupervisor = all;
    w.guestUser = !s.privilege || (granted & USER) != 0 ? all : 0;
  }

  private static @Nullable Reason denied(Setup s, Workspace w, int granted) {
    if (!w.checks()) {
      return null;
    }
    if (s.privilege && !w.supervisor && (granted & USER) == 0) {
      return Reason.GUEST_USER;
    }
    if (w.writes() && (granted & WRITABLE) == 0) {
      return Reason.GUEST_PERMISSION;
    }
    return s.noExecute && (w.wanted & Access.EXECUTE) != 0 && (granted & EXECUTABLE) == 0
        ? Reason.GUEST_NO_EXECUTE
        : null;
  }

  /**
   * The root of a PASID's page tables, in {@code gpa}. With Control.GCR3TRPMode the device table
   * entry points to a guest's own GCR3 table, without it to one of the host's, in which the guest's
   * page tables alone are named by guest-physical addresses. Choice: the levels of a GCR3 table are
   * all where its root is.
   */
  private static @Nullable Reason gcr3(Setup s, DeviceEntry d, Workspace w, int pasid) {
    if (pasid >>> 9 * d.gcr3Levels != 0 || pasid >>> s.pasidBits != 0) {
      return Reason.GCR3_INVALID;
    }
    long table = d.gcr3;
    for (int level = d.gcr3Levels; level >= 1; level--) {
      long at = table + ((pasid >>> 9 * (level - 1) & 0x1ff) << 3);
      w.spa = at;
      Reason r = s.gcr3Nested ? entryAddress(s, d, w, at) : null;
      if (r != null) {
        return r;
      }
      if (!w.load(s, w.spa)) {
        w.faultAddress = w.spa;
        return Reason.GUEST_TABLE_READ;
      }
      w.faultAddress = w.iova;
      long e = w.entry();
      if (w.traced()) {
        w.note("GCR3 table entry, level " + level, GuestPte.GCR3_LAYOUT, w.spa, e);
      }
      if (!GuestPte.GCR3_V.isSet(e)) {
        return Reason.GCR3_INVALID;
      }
      if ((e & GCR3_RESERVED) != 0) {
        return Reason.GCR3_RESERVED;
      }
      table = GuestPte.GCR3_ADDRESS.in(e);
    }
    w.gpa = table;
    return null;
  }

  private static final long GCR3_RESERVED = GuestPte.GCR3_LAYOUT.reservedMask(0);

  /** The physical address of a guest table's entry, in {@code spa}. */
  private static @Nullable Reason entryAddress(Setup s, DeviceEntry d, Workspace w, long at) {
    if (d.mode == 0) {
      w.spa = at;
      w.hostPermissions = Access.READ | Access.WRITE;
      return null;
    }
    boolean dirtySoFar = w.mustSetDirty;
    long tag = Tags.host(d.domainId);
    if (s.cached && !w.dry()) {
      long kept = w.unit.walkCaches().tables.lookup(tag, at);
      if (kept != Iotlb.MISS) {
        w.spa = TlbData.pa(kept, at);
        w.hostPermissions = TlbData.USER.getInt(kept) & 3;
        return null;
      }
    }
    w.count(s, Counters.NESTED);
    Reason r = HostWalker.translate(s, d, w, at, Access.READ, true);
    boolean clean = w.mustSetDirty && !dirtySoFar;
    w.mustSetDirty = dirtySoFar;
    if (r == null && clean) {
      // An update of the entry writes to its page: nobody may, before the host's D bit is set.
      Reason denied = markTable(s, w);
      if (denied != null) {
        return denied;
      }
    }
    if (r == null && s.cached && !w.dry()) {
      w.unit
          .walkCaches()
          .tables
          .fill(
              w.seenTables,
              tag,
              at,
              w.hostShift,
              TlbData.of(w.spa, w.hostShift, w.hostPermissions, 0, true, false, false));
    }
    return r;
  }

  private static @Nullable Reason markTable(Setup s, Workspace w) {
    if ((w.hostPermissions & Access.WRITE) == 0) {
      return null; // read-only: it is not updated either
    }
    Rmp rmp = s.rmp;
    Reason refused = rmp == null ? null : rmp.update(s, w, w.hostLeafAt);
    if (refused != null) {
      return refused;
    }
    EntryUpdate updated =
        EntryUpdate.set(s.memory, w.hostLeafAt, w.hostLeaf, HostWalker.D, w.dry());
    if (updated == EntryUpdate.FAILED) {
      w.faultAddress = w.hostLeafAt;
      return Reason.PAGE_TABLE_READ;
    }
    return null; // if it changed meanwhile, whoever changed it invalidates
  }
}
