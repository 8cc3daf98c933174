package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.HostPte;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.memory.EntryUpdate;
import org.jspecify.annotations.Nullable;

/**
 * From a request to an answer, step by step over one {@link Setup}. The results are in the
 * workspace. 48882, "Processing of memory requests".
 */
final class Translator {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int RWX = RW | Access.EXECUTE;

  private Translator() {}

  /** Translates a request; null if it passes. */
  static @Nullable Reason translate(Setup s, Workspace w, DmaRequest r) {
    Reason fault = process(s, w, r);
    if (fault == null && !r.hasPasid()) {
      w.shift = s.besideNotes(r.iova(), w.shift);
    }
    Rmp rmp = s.rmp;
    return fault == null && rmp != null ? rmp.check(s, w) : fault;
  }

  private static @Nullable Reason process(Setup s, Workspace w, DmaRequest r) {
    begin(s, w, r.source(), r.pasid());
    int access = r.access();
    AddressType type = r.addressType();
    w.iova = r.iova();
    w.faultAddress = r.iova();
    w.ats = type == AddressType.TRANSLATION_REQUEST;
    w.wanted = TlbData.need(access);
    w.supervisor = r.hasPasid() && (access & Access.PRIVILEGED) != 0;
    if (!s.enabled) {
      return pass(w, r.iova());
    }
    Reason fault = DeviceTable.locate(s, w);
    if (fault != null) {
      return fault;
    }
    DeviceEntry d = w.device;
    if (!d.valid && type == AddressType.UNTRANSLATED) {
      w.count(s, Counters.UNTRANSLATED);
      return pass(w, r.iova());
    }
    if (d.valid && d.memoryFault != null) {
      return d.memoryFault;
    }
    if (type != AddressType.UNTRANSLATED && !(d.valid && d.iotlb && s.config.deviceIotlbs())) {
      return w.ats ? Reason.TRANSLATION_NOT_ALLOWED : Reason.TRANSLATED_WITHOUT_IOTLB;
    }
    if (type == AddressType.TRANSLATED) {
      w.count(s, Counters.PRETRANSLATED);
      return pass(w, r.iova());
    }
    if (w.ats && !r.hasPasid() && Setup.interrupt(r.iova())) {
      return Reason.TRANSLATION_OF_SPECIAL_RANGE;
    }
    if (s.excluded(r.iova())
        && !r.hasPasid()
        && (s.excludedForAll || DeviceTableEntry.EX.isSet(d.word1))) {
      w.count(s, Counters.EXCLUDED);
      return pass(w, r.iova());
    }
    if (s.special && !r.hasPasid() && Setup.hyperTransport(r.iova())) {
      Reason special = SpecialRanges.check(s, d, w, r.iova());
      if (special != null || w.passes) {
        return special != null ? special : pass(w, r.iova());
      }
    }
    return byTables(s, w, d, r);
  }

  /** A request that no control beside the tables is about. */
  private static @Nullable Reason byTables(Setup s, Workspace w, DeviceEntry d, DmaRequest r) {
    if (!d.translates) {
      return w.ats ? Reason.TRANSLATION_NOT_ALLOWED : Reason.BLOCKED;
    }
    if (r.hasPasid() && !d.guest) {
      return Reason.PASID_WITHOUT_GUEST;
    }
    if (w.checks() && (w.wanted & RW & ~d.permissions) != 0) {
      return Reason.DTE_PERMISSION;
    }
    if (d.mode == 0 && !d.guest(w.pasid)) {
      w.permissions = d.permissions | ((d.permissions & Access.READ) != 0 ? Access.EXECUTE : 0);
      w.coherent = DeviceTableEntry.MODE0_FC.isSet(d.word3);
      return answer(s, w, r.iova(), 30);
    }
    return walk(s, w, d, r.iova());
  }

  static void begin(Setup s, Workspace w, int source, int pasid) {
    w.begin(s);
    w.deviceId = source & 0xffff;
    w.pasid = pasid;
    w.interrupt = false;
    w.passes = false;
    w.byGuest = false;
    w.mustSetDirty = false;
    w.untranslatedOnly = false;
    w.coherent = false;
    w.missShift = 64;
  }

  /** The address passes unchanged, whatever the tables say. */
  private static @Nullable Reason pass(Workspace w, long address) {
    w.permissions = RWX;
    w.pa = address;
    w.shift = 30;
    w.pageShift = 12;
    return null;
  }

  private static @Nullable Reason answer(Setup s, Workspace w, long pa, int shift) {
    w.pa = pa;
    w.shift = shift;
    w.pageShift = s.apertures ? 12 : shift; // what is moved is not where the page is
    return s.apertures ? aperture(s, w, pa) : null;
  }

  /** Memory address routing and control: what lies in an aperture is moved. */
  private static @Nullable Reason aperture(Setup s, Workspace w, long pa) {
    w.shift = 12;
    for (int n = 0; n < Registers.APERTURES; n++) {
      long offset = pa - s.apertureBase[n];
      if (Registers.MARC_RELOC_EN.isSet(s.apertureTarget[n])
          && Long.compareUnsigned(offset, s.apertureLength[n]) < 0) {
        if (Registers.MARC_READ_ONLY.isSet(s.apertureTarget[n])) {
          if (w.checks() && w.writes()) {
            return Reason.PERMISSION;
          }
          w.permissions &= ~Access.WRITE;
        }
        w.pa = Registers.MARC_RELOC_FIELD.in(s.apertureTarget[n]) + offset;
        return null;
      }
    }
    return null;
  }

  private static @Nullable Reason walk(Setup s, Workspace w, DeviceEntry d, long iova) {
    boolean caches = s.cached && !w.dry();
    long tag = d.tag(w.pasid);
    w.byGuest = d.guest(w.pasid);
    w.count(s, Counters.TRANSLATED);
    if (caches && (!w.ats || s.worst)) {
      long data = w.unit.iotlb().lookup(tag, iova);
      if (data != Iotlb.MISS) {
        int granted = (w.supervisor ? TlbData.SUPERVISOR : TlbData.USER).getInt(data);
        boolean exact = s.worst && TlbData.EXACT.isSet(data);
        if (w.ats ? exact : (w.wanted & ~granted) == 0) {
          w.count(s, Counters.PTE_HIT);
          w.countHit();
          w.permissions = granted & permissions(d);
          w.coherent = TlbData.FC.isSet(data);
          w.untranslatedOnly = w.ats && TlbData.U.isSet(data);
          return answer(s, w, TlbData.pa(data, iova), TlbData.shift(data));
        }
        if (exact) {
          return deniedByCache(s, w, d, data, granted);
        }
      }
    }
    w.count(s, Counters.PTE_MISS);
    w.countMiss();
    Reason fault = tables(s, w, d, iova);
    return fault != null ? fault : finish(s, w, d, iova, tag, caches);
  }

  /** What the device table entry allows, as READ, WRITE and EXECUTE. */
  private static int permissions(DeviceEntry d) {
    return d.permissions | ((d.permissions & Access.READ) != 0 ? Access.EXECUTE : 0);
  }

  /** A cached entry lacks what is wanted: which table does, it no longer tells in full. */
  private static Reason deniedByCache(Setup s, Workspace w, DeviceEntry d, long data, int granted) {
    if (!d.guest(w.pasid)) {
      return Reason.PERMISSION;
    }
    if (s.privilege && !w.supervisor && granted == 0 && TlbData.SUPERVISOR.isSet(data)) {
      return Reason.GUEST_USER;
    }
    return (w.wanted & ~granted) == Access.EXECUTE
        ? Reason.GUEST_NO_EXECUTE
        : Reason.GUEST_PERMISSION;
  }

  private static @Nullable Reason tables(Setup s, Workspace w, DeviceEntry d, long iova) {
    if (!d.guest(w.pasid)) {
      w.gpa = iova;
      return HostWalker.translate(s, d, w, iova, w.wanted, w.checks());
    }
    w.count(s, Counters.GUEST);
    Reason fault = GuestWalker.translate(s, d, w, iova);
    if (fault != null) {
      return fault;
    }
    int guestShift = w.guestShift;
    fault = HostWalker.translate(s, d, w, w.gpa, w.wanted, w.checks());
    w.missShift = Math.min(w.missShift, guestShift);
    return fault;
  }

  private static @Nullable Reason finish(
      Setup s, Workspace w, DeviceEntry d, long iova, long tag, boolean caches) {
    boolean guest = d.guest(w.pasid);
    int host = w.hostPermissions | ((w.hostPermissions & Access.READ) != 0 ? Access.EXECUTE : 0);
    int user = guest ? host & w.guestUser : host;
    int supervisor = guest ? host & w.guestSupervisor : host;
    int shift = guest && d.mode == 0 ? w.guestShift : w.hostShift;
    if (guest) {
      shift = Math.min(shift, w.guestShift);
    }
    w.coherent = w.hostCoherent;
    w.untranslatedOnly = w.ats && w.hostUntranslated;
    w.permissions = (w.supervisor ? supervisor : user) & permissions(d);
    if (w.ats && w.mustSetDirty && (w.permissions & Access.WRITE) != 0) {
      Reason fault = setDirty(s, w, d, guest);
      if (fault != null) {
        return fault;
      }
    }
    boolean dirtyNow =
        !w.mustSetDirty || w.writes() && w.checks() || (w.ats && (w.permissions & 2) != 0);
    if (caches && !w.permissive) {
      keep(w, d, iova, tag, shift, user, supervisor, dirtyNow);
    }
    return answer(s, w, w.spa, shift);
  }

  /** Puts what the tables say into the IOTLB. */
  private static void keep(
      Workspace w,
      DeviceEntry d,
      long iova,
      long tag,
      int shift,
      int user,
      int supervisor,
      boolean dirtyNow) {
    boolean guest = d.guest(w.pasid);
    int cap = dirtyNow ? RWX : Access.READ | Access.EXECUTE;
    if (((user | supervisor) & cap) == 0) {
      return;
    }
    boolean exact = dirtyNow || ((user | supervisor) & Access.WRITE) == 0;
    long data =
        TlbData.of(
            w.spa, shift, user & cap, supervisor & cap, exact, w.hostCoherent, w.hostUntranslated);
    w.unit
        .iotlb()
        .fill(
            w.seenTranslations,
            tag,
            iova,
            shift,
            data,
            guest ? w.gpa : iova,
            guest ? w.guestShift : shift,
            guest && d.mode != 0 ? w.hostShift : 0);
  }

  /** A translation request that is granted W: no later request will tell that the page changed. */
  private static @Nullable Reason setDirty(Setup s, Workspace w, DeviceEntry d, boolean guest) {
    if (guest && s.guestDirty && (w.guestLeaf & GuestWalker.D) == 0) {
      if (!w.guestUpdatable || refused(s, w, w.guestLeafAt)) {
        w.permissions &= ~Access.WRITE; // the host does not let the guest's table be written
        return null;
      }
      if (failed(s, w, w.guestLeafAt, w.guestLeaf, GuestWalker.D)) {
        w.faultAddress = w.guestLeafAt;
        return Reason.GUEST_TABLE_READ;
      }
    }
    if (d.mode != 0 && d.setsDirty) {
      if ((w.hostLeaf & HostWalker.D) == 0 && refused(s, w, w.hostLeafAt)) {
        w.permissions &= ~Access.WRITE;
      } else if (failed(s, w, w.hostLeafAt, w.hostLeaf, HostWalker.D)) {
        w.faultAddress = w.hostLeafAt;
        return Reason.PAGE_TABLE_READ;
      }
    }
    return null;
  }

  /** Whether the reverse map table keeps the unit from changing a table's entry. */
  private static boolean refused(Setup s, Workspace w, long at) {
    Rmp rmp = s.rmp;
    return rmp != null && rmp.update(s, w, at) != null;
  }

  private static boolean failed(Setup s, Workspace w, long at, long e, long bit) {
    if ((e & bit) != 0) {
      return false;
    }
    EntryUpdate updated = EntryUpdate.set(s.memory, at, e, bit, w.dry());
    if (updated == EntryUpdate.CHANGED) {
      // Somebody else changed the entry meanwhile: the device is not granted W, and may ask again.
      w.permissions &= ~Access.WRITE;
    }
    return updated == EntryUpdate.FAILED;
  }

  /**
   * What {@link PlainWalk} found, as {@code Translation.grant} takes it; caches keep it.
   *
   * @param pa what the walk returned
   */
  static long plain(Setup s, Workspace w, DeviceEntry d, long iova, long pa) {
    boolean guest = d.guest(w.pasid);
    if (d.mode == 0) {
      w.hostPermissions = RW;
      w.hostShift = 64;
      w.hostLeaf = 0;
    }
    int host = w.hostPermissions | ((w.hostPermissions & Access.READ) != 0 ? Access.EXECUTE : 0);
    int user = guest ? host & w.guestUser : host;
    int shift = guest ? Math.min(w.hostShift, w.guestShift) : w.hostShift;
    boolean coherent = HostPte.FC.isSet(w.hostLeaf);
    if (s.cached) {
      int supervisor = guest ? host & w.guestSupervisor : host;
      w.spa = pa;
      w.hostCoherent = coherent;
      w.hostUntranslated = HostPte.U.isSet(w.hostLeaf);
      keep(w, d, iova, d.tag(w.pasid), shift, user, supervisor, !w.mustSetDirty);
    }
    int holds = w.pasid < 0 ? s.besideNotes(iova, shift) : shift;
    return Translation.answer(holds, user & permissions(d), coherent ? TlbData.FORCE_COHERENT : 0);
  }
}
