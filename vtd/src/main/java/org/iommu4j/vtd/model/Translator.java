package org.iommu4j.vtd.model;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.memory.EntryUpdate;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.Registers;
import org.jspecify.annotations.Nullable;

/**
 * From a request to an answer: the specification's steps in its order, over one {@link Setup}. The
 * results are in the workspace.
 */
final class Translator {
  private static final int RW = Access.READ | Access.WRITE;

  private Translator() {}

  /**
   * Translates a request.
   *
   * @return null if it passes, a {@link Reason} or a {@link Refusal} if not
   */
  static @Nullable FaultReason translate(Setup s, Workspace w, DmaRequest r) {
    begin(s, w, r.source(), r.pasid());
    int access = r.access();
    AddressType type = r.addressType();
    boolean zero = (access & Access.ZERO_LENGTH) != 0;
    w.ats = type == AddressType.TRANSLATION_REQUEST;
    w.addressType = type.ordinal();
    w.noWrite = w.ats && s.nwfs && (access & Access.WRITE) == 0;
    w.wanted = w.ats || (zero && s.zlr) ? 0 : TlbData.need(access);
    w.supervisor = r.hasPasid() && (access & Access.PRIVILEGED) != 0;
    w.count(s, 0, 1, 0);
    if (!s.enabled) {
      return type == AddressType.UNTRANSLATED ? identity(s, w, r.iova(), 30) : Refusal.DISABLED;
    }
    if (w.ats && (access & Access.ATOMIC) != 0) {
      return Refusal.MALFORMED;
    }
    Reason mode = mode(s, r.hasPasid());
    if (mode != null) {
      return mode;
    }
    boolean execute = r.hasPasid() && (access & Access.EXECUTE) != 0;
    if (execute && s.major >= 8) {
      return Reason.RTA_5;
    }
    if (s.ttm == Registers.TTM_LEGACY) {
      return r.hasPasid() ? Reason.RTA_2 : legacy(s, w, r, type);
    }
    return scalable(s, w, r, type, execute, zero);
  }

  static void begin(Setup s, Workspace w, int source, int pasid) {
    w.begin(s);
    w.source = source & 0xffff;
    w.pasid = pasid;
    w.fpd = false;
    w.mustSetDirty = false;
    w.untranslatedOnly = false;
    w.snoop = false;
    w.memoryType = 0;
    w.missShift = 64;
  }

  /** §7.1.3, RTA faults: the translation table mode itself. */
  static @Nullable Reason mode(Setup s, boolean pasid) {
    return switch (s.ttm) {
      case Registers.TTM_LEGACY -> s.ssirwe && !pasid ? Reason.RTA_1_4 : null;
      case Registers.TTM_SCALABLE -> s.smts ? null : Reason.RTA_1_3;
      case Registers.TTM_ABORT -> s.adms ? Reason.RTA_4 : Reason.RTA_1_1;
      default -> Reason.RTA_1_2;
    };
  }

  private static @Nullable FaultReason legacy(
      Setup s, Workspace w, DmaRequest r, AddressType type) {
    Reason fault = LegacyTables.locate(s, w);
    if (fault != null) {
      return fault;
    }
    Space space = w.space;
    if (type != AddressType.UNTRANSLATED && !space.ats) {
      return Reason.LCT_5;
    }
    long iova = r.iova();
    if (type == AddressType.TRANSLATED) {
      return translated(s, w, iova, Reason.LGN_1_2, Reason.LGN_4);
    }
    if (w.ats && Setup.interrupt(iova)) {
      return interruptRange(w, r);
    }
    if (space.kind == Space.PASS_THROUGH) {
      return (iova & s.beyond) != 0 ? Reason.LGN_1_3 : passThrough(s, w, iova);
    }
    return walk(s, w, iova);
  }

  private static @Nullable FaultReason scalable(
      Setup s, Workspace w, DmaRequest r, AddressType type, boolean execute, boolean zero) {
    ScalableContext c = ScalableTables.context(s, w);
    boolean hasPasid = r.hasPasid();
    boolean translated = type == AddressType.TRANSLATED;
    // SCT.4.3 is not for these: with PASIDE = 0 they are refused by SCT.6.
    if (c.fault != null && !(c.fault == Reason.SCT_4_3 && hasPasid && !translated)) {
      return c.fault;
    }
    Reason refused = refused(s, c, type, hasPasid, r.pasid());
    if (refused != null) {
      return refused;
    }
    if (!hasPasid) {
      w.supervisor = c.ridPrivileged;
    }
    Reason fault = ScalableTables.locate(s, w, c, hasPasid ? r.pasid() : c.ridPasid);
    if (fault != null) {
      return fault;
    }
    Space space = w.space;
    if (!hasPasid && s.quick && !w.dry() && !c.ridPrivileged) {
      w.unit.contexts().shorten(w.seenContexts, space);
    }
    if (!translated) {
      if (execute && !s.config.has(ExtendedCapability.ERS)) {
        return Reason.SPT_5;
      }
      if (w.supervisor && space.hasFirstStage() && !space.sre) {
        return Reason.SPT_6;
      }
    }
    long iova = r.iova();
    if (translated) {
      return c.hpte
          ? permitted(s, w, iova, zero)
          : translated(s, w, iova, Reason.SGN_4_1, Reason.SGN_8);
    }
    if (w.ats && (!hasPasid || space.kind == Space.PASS_THROUGH) && Setup.interrupt(iova)) {
      return interruptRange(w, r);
    }
    if (space.kind == Space.PASS_THROUGH) {
      return (iova & s.beyond) != 0
          ? Reason.SGN_4_2
          : Setup.interrupt(iova) ? Reason.SGN_8 : passThrough(s, w, iova);
    }
    return walk(s, w, iova);
  }

  /** What the context alone refuses: SCT.5 to SCT.10 and SGN.10, in this order. */
  private static @Nullable Reason refused(
      Setup s, ScalableContext c, AddressType type, boolean hasPasid, int pasid) {
    boolean translated = type == AddressType.TRANSLATED;
    if (type != AddressType.UNTRANSLATED && !c.dte) {
      return Reason.SCT_5;
    }
    if (!hasPasid) {
      return null;
    }
    if (!c.paside && !translated) {
      return Reason.SCT_6;
    }
    return pasid(s, c, translated, pasid);
  }

  /** SCT.7, SCT.9, SCT.10, SGN.10: whether a context takes a PASID. */
  private static @Nullable Reason pasid(Setup s, ScalableContext c, boolean translated, int pasid) {
    if (pasid >= c.reach) {
      return Reason.SCT_7;
    }
    if (pasid == c.ridPasid) {
      return Reason.SCT_9;
    }
    if (translated && !c.eptr) {
      return Reason.SCT_10;
    }
    return pasid >>> s.pasidBits != 0 ? Reason.SGN_10 : null;
  }

  /** The checks of a page request. §7.4. */
  static @Nullable Reason pageRequest(Setup s, Workspace w, int source, int pasid) {
    begin(s, w, source, pasid);
    boolean hasPasid = pasid >= 0;
    Reason mode = s.ttm == Registers.TTM_LEGACY ? Reason.RTA_3 : mode(s, hasPasid);
    if (mode != null) {
      return mode;
    }
    ScalableContext c = ScalableTables.context(s, w);
    if (c.fault != null && !(c.fault == Reason.SCT_4_3 && hasPasid)) {
      return c.fault;
    }
    if (hasPasid && !c.paside) {
      return Reason.SCT_6;
    }
    if (hasPasid && pasid >= c.reach) {
      return Reason.SCT_7;
    }
    if (!c.pre) {
      return Reason.SCT_8;
    }
    if (hasPasid && pasid == c.ridPasid) {
      return Reason.SCT_9;
    }
    return ScalableTables.locate(s, w, c, hasPasid ? pasid : c.ridPasid);
  }

  /** §4.5: a translation request for the interrupt range is told to write untranslated. */
  private static @Nullable FaultReason interruptRange(Workspace w, DmaRequest r) {
    boolean write = (r.access() & Access.WRITE) != 0;
    w.pa = r.iova();
    w.shift = 12;
    w.permissions = write ? Access.WRITE : 0;
    w.untranslatedOnly = write;
    return null;
  }

  private static @Nullable FaultReason translated(
      Setup s, Workspace w, long address, Reason tooWide, Reason interrupt) {
    if ((address & s.beyond) != 0) {
      return tooWide;
    }
    return Setup.interrupt(address) ? interrupt : identity(s, w, address, 12);
  }

  private static @Nullable FaultReason permitted(Setup s, Workspace w, long address, boolean zero) {
    Reason denied = HostPermissionWalker.check(s, w.space, w, address, zero);
    if (denied != null) {
      w.fpd |= w.space.hptFaultDisable && denied != Reason.SPT_9;
      return denied;
    }
    int granted = w.permissions;
    FaultReason r = translated(s, w, address, Reason.SGN_4_1, Reason.SGN_8);
    w.permissions = granted;
    return r;
  }

  private static @Nullable FaultReason passThrough(Setup s, Workspace w, long iova) {
    w.snoop = w.space.pgsnp;
    int sslps = Capability.SSLPS.getInt(s.config.cap());
    return identity(s, w, iova, sslps == 3 ? 30 : sslps == 1 ? 21 : 12);
  }

  private static @Nullable FaultReason identity(Setup s, Workspace w, long address, int shift) {
    w.permissions = w.noWrite ? Access.READ : RW;
    return answer(s, w, address, shift);
  }

  private static @Nullable FaultReason answer(Setup s, Workspace w, long pa, int shift) {
    w.pa = pa;
    w.shift = besideInterrupts(pa, shift);
    if (s.protectedMemory != null) {
      w.shift = 12;
      return s.protectedMemory.covers(pa) ? Refusal.PROTECTED : null;
    }
    return null;
  }

  /** The interrupt range is no part of any page: a larger one that has it is cut to 1 MiB. */
  private static int besideInterrupts(long pa, int shift) {
    return shift > 20 && 0xfee0_0000L >>> shift == pa >>> shift ? 20 : shift;
  }

  /** The stages. §4.4 to §4.6 of the fact sheet; §3.6 to §3.8. */
  private static @Nullable FaultReason walk(Setup s, Workspace w, long iova) {
    Space space = w.space;
    boolean caches = s.cached && !w.dry();
    if (caches && (!w.ats || s.worst)) {
      w.count(s, 3, 0, 0);
      long data = w.unit.iotlb().lookup(space.tag, iova);
      if (data != Iotlb.MISS) {
        int granted = (w.supervisor ? TlbData.SUPERVISOR : TlbData.USER).getInt(data);
        boolean exact = s.worst && TlbData.EXACT.isSet(data);
        boolean passes = w.ats ? exact : (w.wanted & ~granted) == 0 && granted != 0;
        if (passes) {
          w.count(s, 3, 1, 0);
          w.countHit();
          w.permissions = w.noWrite ? granted & ~Access.WRITE : granted;
          w.snoop = TlbData.SNP.isSet(data);
          w.memoryType = TlbData.TYPE.getInt(data);
          w.pa = TlbData.pa(data, iova);
          w.shift = TlbData.shift(data);
          if (s.protectedMemory != null) {
            return answer(s, w, w.pa, w.shift);
          }
          return null;
        }
        // Nothing granted can have several reasons; a walk finds the right one.
        if (exact && !w.ats && granted != 0) {
          return SecondStageWalker.denied(space, w.wanted == 0 ? Access.READ : w.wanted, granted);
        }
      }
    }
    w.countMiss();
    Reason fault = stages(s, w, space, iova);
    return fault != null ? fault : finish(s, w, space, iova, caches);
  }

  private static @Nullable Reason stages(Setup s, Workspace w, Space space, long iova) {
    if (space.kind == Space.SECOND) {
      w.gpa = iova;
      return SecondStageWalker.translate(s, space, w, iova, w.wanted, w.checks());
    }
    Reason fault = FirstStageWalker.translate(s, space, w, iova);
    if (fault != null || space.kind == Space.FIRST) {
      return fault;
    }
    boolean dirty = w.mustSetDirty;
    int fsShift = w.fsShift;
    fault = SecondStageWalker.translate(s, space, w, w.gpa, w.wanted, w.checks());
    w.mustSetDirty |= dirty;
    w.missShift = Math.min(w.missShift, fsShift);
    return fault;
  }

  private static @Nullable FaultReason finish(
      Setup s, Workspace w, Space space, long iova, boolean caches) {
    boolean first = space.hasFirstStage();
    boolean second = space.kind != Space.FIRST;
    int user = RW;
    int supervisor = RW;
    int shift = 64;
    long pa = w.gpa;
    if (first) {
      user = w.fsUser ? Access.READ | (w.fsWritable ? Access.WRITE : 0) : 0;
      supervisor = space.sre ? Access.READ | (w.fsWritable || !space.wpe ? Access.WRITE : 0) : 0;
      shift = w.fsShift;
    }
    if (second) {
      user &= w.ssPermissions;
      supervisor &= w.ssPermissions;
      shift = Math.min(shift, w.ssShift);
      pa = w.spa;
      w.snoop = w.ssSnoop;
      w.memoryType = w.ssType;
    }
    w.snoop |= space.pgsnp;
    if (Setup.interrupt(pa)) {
      w.missShift = Math.min(shift, 20);
      return space.legacy ? Reason.LGN_4 : Reason.SGN_8;
    }
    w.permissions = w.supervisor ? supervisor : user;
    if (w.noWrite) {
      w.permissions &= ~Access.WRITE;
    }
    if (w.ats && w.mustSetDirty && (w.permissions & Access.WRITE) != 0) {
      Reason fault = setDirty(s, w, space);
      if (fault != null) {
        return fault;
      }
    }
    // A walk that wrote has set D; one that only read leaves it to the next that writes.
    boolean dirtyNow = !w.mustSetDirty || w.writes() || (w.ats && (w.permissions & 2) != 0);
    int leaf = shift;
    shift = besideInterrupts(pa, shift);
    if (caches && !w.permissive) {
      int cap = dirtyNow ? RW : Access.READ;
      long data =
          TlbData.of(
              pa,
              shift,
              user & cap,
              supervisor & cap,
              dirtyNow || ((user | supervisor) & Access.WRITE) == 0,
              w.snoop,
              w.memoryType);
      if (((user | supervisor) & cap) != 0) {
        w.unit
            .iotlb()
            .fill(
                w.seenTranslations,
                space.tag,
                iova,
                shift,
                data,
                w.gpa,
                first ? w.fsShift : leaf,
                first && second ? w.ssShift : 0);
      }
    }
    return answer(s, w, pa, shift);
  }

  /** For {@link PlainWalk} without caches: the space of a request, null if anything is wrong. */
  static @Nullable Space located(Setup s, Workspace w, DmaRequest r) {
    int pasid = r.pasid();
    if (!w.decoded.again(s, w, pasid)) {
      if (!locate(s, w, r)) {
        return null;
      }
      w.decoded.keep(s, w, pasid);
    }
    return w.spaceScratch;
  }

  private static boolean locate(Setup s, Workspace w, DmaRequest r) {
    if (s.ttm == Registers.TTM_LEGACY) {
      return !r.hasPasid() && LegacyTables.locate(s, w) == null;
    }
    ScalableContext c = ScalableTables.context(s, w);
    return c.fault == null
        && !c.ridPrivileged
        && refused(s, c, AddressType.UNTRANSLATED, r.hasPasid(), r.pasid()) == null
        && ScalableTables.locate(s, w, c, r.hasPasid() ? r.pasid() : c.ridPasid) == null;
  }

  /**
   * What {@link PlainWalk} found, as {@code Translation.grant} takes it; caches keep it.
   *
   * @param pa what the walk returned
   */
  static long plain(Setup s, Workspace w, Space space, long iova, long pa) {
    boolean first = space.hasFirstStage();
    boolean second = space.kind != Space.FIRST;
    int user = first && !w.fsWritable ? Access.READ : RW;
    int supervisor = space.sre ? space.wpe ? user : RW : 0;
    int shift = first ? w.fsShift : 64;
    boolean snoop = space.pgsnp;
    if (second) {
      user &= w.ssPermissions;
      supervisor = first ? supervisor & w.ssPermissions : user;
      shift = Math.min(shift, w.ssShift);
      snoop |= w.ssSnoop;
    }
    int leaf = shift;
    shift = besideInterrupts(pa, shift);
    int cap = w.mustSetDirty ? Access.READ : RW;
    if (s.cached && (user & cap) != 0) {
      long data = TlbData.of(pa, shift, user & cap, supervisor & cap, !w.mustSetDirty, snoop, 0);
      w.unit
          .iotlb()
          .fill(
              w.seenTranslations,
              space.tag,
              iova,
              shift,
              data,
              first ? w.gpa : iova,
              first ? w.fsShift : leaf,
              first && second ? w.ssShift : 0);
    }
    return Translation.answer(shift, user, snoop ? TlbData.FORCE_SNOOP : 0);
  }

  /** A translation request that is granted W: no later request will tell that the page changed. */
  private static @Nullable Reason setDirty(Setup s, Workspace w, Space space) {
    if (space.hasFirstStage() && (w.fsLeaf & FirstStageWalker.D) == 0) {
      if (!space.pwsnp) {
        return Reason.SFS_9;
      }
      if (!w.fsLeafWritable) {
        return Reason.SFS_8;
      }
      if (failed(s, w, w.fsLeafAt, w.fsLeaf, FirstStageWalker.D)) {
        return Reason.SFS_10;
      }
    }
    if (space.ssade && (w.ssLeaf & SecondStageWalker.D) == 0) {
      if (!space.pwsnp) {
        return Reason.SSS_5;
      }
      if (failed(s, w, w.ssLeafAt, w.ssLeaf, SecondStageWalker.D)) {
        return Reason.SSS_6;
      }
    }
    return null;
  }

  private static boolean failed(Setup s, Workspace w, long at, long e, long bit) {
    EntryUpdate updated = SecondStageWalker.update(s, w, at, e, bit);
    if (updated == EntryUpdate.CHANGED) {
      // Somebody else changed the entry meanwhile: the device is not granted W, and may ask again.
      w.permissions &= ~Access.WRITE;
    }
    return updated == EntryUpdate.FAILED;
  }
}
