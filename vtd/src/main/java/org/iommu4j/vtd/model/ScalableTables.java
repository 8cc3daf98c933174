package org.iommu4j.vtd.model;

import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.PasidDirectoryEntry;
import org.iommu4j.vtd.layout.PasidEntry;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.RootEntry;
import org.iommu4j.vtd.layout.ScalableContextEntry;
import org.jspecify.annotations.Nullable;

/** Scalable mode: root table, context tables, PASID directories and tables. §3.4.3. */
final class ScalableTables {
  private static final int Q = Long.BYTES;

  private ScalableTables() {}

  /** The context of a source; it is in {@code w.contextScratch} or a cache. */
  static ScalableContext context(Setup s, Workspace w) {
    if (s.cached && !w.dry()) {
      w.count(s, 2, 0, 0);
      ScalableContext kept = w.unit.contexts().context(w.source);
      if (kept != null) {
        w.count(s, 2, 1, 0);
        w.fpd |= kept.fpd;
        return kept;
      }
    }
    ScalableContext c = w.contextScratch;
    c.fault = readContext(s, w, c);
    if (s.cached && !w.dry() && (c.fault == null || s.keepsFaults)) {
      w.unit.contexts().fill(w.seenContexts, c);
    }
    return c;
  }

  private static @Nullable Reason readContext(Setup s, Workspace w, ScalableContext c) {
    c.source = w.source;
    c.fpd = false;
    Decoded d = w.decoded;
    d.forget();
    boolean upper = (w.source & 0x80) != 0;
    long at = s.root + (w.source >>> 8 & 0xff) * (long) RootEntry.BYTES + (upper ? Q : 0);
    if (!d.root(s, w, at, 1)) {
      return Reason.SRT_1;
    }
    long root = d.root[0];
    if (w.traced()) {
      w.note(
          upper ? "scalable-mode root entry, upper half" : "scalable-mode root entry, lower half",
          RootEntry.LEGACY,
          at,
          root);
    }
    if (!RootEntry.LP.isSet(root)) {
      return Reason.SRT_2;
    }
    if ((root & s.rootReserved) != 0) {
      return Reason.SRT_3;
    }
    at = RootEntry.LCTP.in(root) + (w.source & 0x7f) * (long) ScalableContextEntry.BYTES;
    if (!d.context(s, w, at, Decoded.CONTEXT)) {
      return Reason.SCT_1;
    }
    long low = d.context[0];
    long high = d.context[1];
    long third = d.context[2];
    long fourth = d.context[3];
    if (w.traced()) {
      w.note(
          "scalable-mode context entry", ScalableContextEntry.LAYOUT, at, low, high, third, fourth);
    }
    c.fpd = ScalableContextEntry.FPD.isSet(low);
    w.fpd |= c.fpd;
    if (!ScalableContextEntry.P.isSet(low)) {
      return Reason.SCT_2;
    }
    if ((low & s.scalableReserved0) != 0
        || (high & s.scalableReserved1) != 0
        || (third | fourth) != 0) {
      return Reason.SCT_3;
    }
    c.dte = ScalableContextEntry.DTE.isSet(low);
    c.paside = ScalableContextEntry.PASIDE.isSet(low);
    c.pre = ScalableContextEntry.PRE.isSet(low);
    c.hpte = ScalableContextEntry.HPTE.isSet(low);
    c.eptr = ScalableContextEntry.EPTR.isSet(low);
    c.reach = 1 << (ScalableContextEntry.PDTS.getInt(low) + 13);
    c.directory = ScalableContextEntry.PASIDDIRPTR.in(low);
    c.ridPasid = s.rps ? ScalableContextEntry.RID_PASID.getInt(high) : 0;
    c.ridPrivileged = s.rprivs && ScalableContextEntry.RID_PRIV.isSet(high);
    if (c.pre && !c.dte) {
      return Reason.SCT_4_1;
    }
    if (c.ridPasid >= c.reach) {
      return Reason.SCT_4_2;
    }
    // Of a request with PASID SCT.6 is reported instead: the translator decides.
    return c.eptr && !c.paside ? Reason.SCT_4_3 : null;
  }

  /** The space of a PASID; a fault leaves in {@code w.space} what a cache may keep of it. */
  static @Nullable Reason locate(Setup s, Workspace w, ScalableContext c, int pasid) {
    if (s.cached && !w.dry()) {
      w.count(s, 2, 2, 0);
      Space kept = w.unit.contexts().space(w.source, pasid);
      if (kept != null && !kept.legacy) {
        w.count(s, 2, 3, 0);
        w.space = kept;
        w.fpd |= kept.fpd;
        return kept.fault;
      }
    }
    Space space = w.spaceScratch;
    Reason fault = read(s, w, c, pasid, space);
    w.space = space;
    if (s.cached && !w.dry() && (fault == null || s.keepsFaults)) {
      space.fault = fault;
      if (fault != null) {
        space.did = 0;
      }
      w.unit.contexts().fill(w.seenContexts, space);
    }
    return fault;
  }

  private static @Nullable Reason read(
      Setup s, Workspace w, ScalableContext c, int pasid, Space space) {
    space.source = w.source;
    space.pasid = pasid;
    space.legacy = false;
    space.fpd = false;
    space.fault = null;
    Decoded d = w.decoded;
    d.forget();
    long at = c.directory + (long) (pasid >>> 6) * PasidDirectoryEntry.BYTES;
    if (!d.directory(s, w, at)) {
      return Reason.SPD_1;
    }
    long e = d.directory;
    if (w.traced()) {
      w.note("PASID directory entry", PasidDirectoryEntry.LAYOUT, at, e);
    }
    space.fpd = PasidDirectoryEntry.FPD.isSet(e);
    w.fpd |= space.fpd;
    if (!PasidDirectoryEntry.P.isSet(e)) {
      return Reason.SPD_2;
    }
    if ((e & s.directoryReserved) != 0) {
      return Reason.SPD_3;
    }
    at = PasidDirectoryEntry.SMPTBLPTR.in(e) + (pasid & 0x3f) * (long) PasidEntry.BYTES;
    if (!d.entry(s, w, at)) {
      return Reason.SPT_1;
    }
    long q0 = d.entry[0];
    long q1 = d.entry[1];
    long q2 = d.entry[2];
    long q4 = d.entry[4];
    long q5 = d.entry[5];
    long rest = d.entry[3] | d.entry[6] | d.entry[7];
    if (w.traced()) {
      w.note("PASID entry", PasidEntry.LAYOUT, at, q0, q1, q2, 0, q4, q5);
    }
    space.fpd |= PasidEntry.FPD.isSet(q0);
    w.fpd |= space.fpd;
    if (!PasidEntry.P.isSet(q0)) {
      return Reason.SPT_2;
    }
    if (reserved(s, c, q0, q1, q2, q4, q5) || rest != 0) {
      return Reason.SPT_3;
    }
    Reason fault = decode(s, c, space, q0, q1, q2, q4);
    if (fault == null && space.hasFirstStage()) {
      w.unit.useFirstStage();
    }
    return fault;
  }

  /** Reserved bits, of the fields alone that the translation type looks at. */
  private static boolean reserved(
      Setup s, ScalableContext c, long q0, long q1, long q2, long q4, long q5) {
    int pgtt = PasidEntry.PGTT.getInt(q0);
    boolean first = pgtt == PasidEntry.FIRST_STAGE || pgtt == PasidEntry.NESTED;
    boolean second = pgtt == PasidEntry.SECOND_STAGE || pgtt == PasidEntry.NESTED;
    UnitConfig config = s.config;
    boolean mts = config.has(ExtendedCapability.MTS);
    long r0 = s.pasidReserved[0];
    long r1 = s.pasidReserved[1];
    long r2 = s.pasidReserved[2];
    if (second) {
      r0 |= PasidEntry.SSPTPTR.in(s.beyond);
      if (!config.has(ExtendedCapability.SSADS)) {
        r0 |= PasidEntry.SSADE.mask();
      }
      if (!mts) {
        r1 |= PasidEntry.EMTE.mask();
      }
    }
    if (first) {
      // Behind a second stage, too: SPT.4.4 is about what is beyond a narrower one.
      r2 |= PasidEntry.FSPTPTR.in(s.beyond);
      if (!config.has(ExtendedCapability.SRS)) {
        r2 |= PasidEntry.SRE.mask();
      }
      if (!config.has(ExtendedCapability.EAFS)) {
        r2 |= PasidEntry.EAFE.mask();
      }
      if (!mts) {
        r1 |= PasidEntry.CD.mask() | PasidEntry.PAT.mask();
      }
    }
    long r4 = s.pasidReserved[4];
    long r5 = s.pasidReserved[5];
    if (c.hpte) {
      r4 |= PasidEntry.HPTPTR.in(s.beyond);
    } else if (!config.has(ExtendedCapability.HPTS)) {
      r4 = -1;
      r5 = -1;
    }
    return (q0 & r0) != 0 || (q1 & r1) != 0 || (q2 & r2) != 0 || (q4 & r4) != 0 || (q5 & r5) != 0;
  }

  private static @Nullable Reason decode(
      Setup s, ScalableContext c, Space space, long q0, long q1, long q2, long q4) {
    int pgtt = PasidEntry.PGTT.getInt(q0);
    UnitConfig config = s.config;
    boolean supported =
        switch (pgtt) {
          case PasidEntry.FIRST_STAGE -> config.has(ExtendedCapability.FSTS);
          case PasidEntry.SECOND_STAGE -> config.has(ExtendedCapability.SSTS);
          case PasidEntry.NESTED -> config.has(ExtendedCapability.NEST);
          case PasidEntry.PASS_THROUGH -> s.pt;
          default -> false;
        };
    boolean first = pgtt == PasidEntry.FIRST_STAGE || pgtt == PasidEntry.NESTED;
    boolean second = pgtt == PasidEntry.SECOND_STAGE || pgtt == PasidEntry.NESTED;
    int aw = PasidEntry.AW.getInt(q0);
    if (second && !s.supports(aw)) {
      return Reason.SPT_4_1;
    }
    if (!supported) {
      return Reason.SPT_4_2;
    }
    int fspm = PasidEntry.FSPM.getInt(q2);
    if (first && (fspm > 1 || (fspm == 1 && !Capability.FS5LP.isSet(config.cap())))) {
      return Reason.SPT_4_3;
    }
    space.kind = pgtt == PasidEntry.PASS_THROUGH ? Space.PASS_THROUGH : pgtt;
    space.did = PasidEntry.DID.getInt(q1);
    space.ats = c.dte;
    space.ssRoot = PasidEntry.SSPTPTR.in(q0);
    space.ssLevels = aw + 2;
    space.ssBits = Math.min(s.mgaw, 30 + 9 * aw);
    space.ssade = second && PasidEntry.SSADE.isSet(q0);
    space.emte = second && PasidEntry.EMTE.isSet(q1);
    space.fsRoot = PasidEntry.FSPTPTR.in(q2);
    space.fsLevels = fspm + 4;
    space.sre = PasidEntry.SRE.isSet(q2);
    space.wpe = PasidEntry.WPE.isSet(q2);
    space.eafe = first && PasidEntry.EAFE.isSet(q2);
    // Choice: without SMPWCS the bit is reserved, and nothing can ask for snooping. Such a unit
    // sets A
    // and D nevertheless, as QEMU's does: SFS.9 is for software that could have asked, and did not.
    space.pwsnp = !s.snoopMatters || PasidEntry.PWSNP.isSet(q1);
    space.pgsnp = PasidEntry.PGSNP.isSet(q1);
    space.hptRoot = PasidEntry.HPTPTR.in(q4);
    space.hptFaultDisable = PasidEntry.HPTPFD.isSet(q4);
    space.hptBits = 49 + PasidEntry.HPTSZ.getInt(q4);
    if (pgtt == PasidEntry.NESTED && space.fsRoot >>> space.ssBits != 0) {
      return Reason.SPT_4_4;
    }
    space.finish(s);
    return null;
  }
}
