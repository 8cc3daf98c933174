package org.iommu4j.vtd.model;

import org.iommu4j.vtd.layout.ContextEntry;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.RootEntry;
import org.jspecify.annotations.Nullable;

/** Legacy mode: root table and context tables. §3.4.2. */
final class LegacyTables {
  private LegacyTables() {}

  /** The space of a source; a fault leaves in {@code w.space} what a cache may keep of it. */
  static @Nullable Reason locate(Setup s, Workspace w) {
    if (s.cached && !w.dry()) {
      w.count(s, 2, 0, 0);
      Space kept = w.unit.contexts().space(w.source, Space.NO_PASID);
      if (kept != null && kept.legacy) {
        w.count(s, 2, 1, 0);
        w.space = kept;
        w.fpd |= kept.fpd;
        shorten(s, w, kept);
        return kept.fault;
      }
    }
    Space space = w.spaceScratch;
    Reason fault = read(s, w, space);
    w.space = space;
    if (s.cached && !w.dry() && (fault == null || s.keepsFaults)) {
      space.fault = fault;
      if (fault != null) {
        space.did = 0;
      }
      w.unit.contexts().fill(w.seenContexts, space);
      shorten(s, w, space);
    }
    return fault;
  }

  /** Every command about contexts takes the short ways of all sources. */
  private static void shorten(Setup s, Workspace w, Space space) {
    if (space.fault == null && s.quick) {
      w.unit.contexts().shorten(w.seenContexts, space);
    }
  }

  private static @Nullable Reason read(Setup s, Workspace w, Space space) {
    space.source = w.source;
    space.pasid = Space.NO_PASID;
    space.legacy = true;
    space.fpd = false;
    space.fault = null;
    Decoded d = w.decoded;
    d.forget();
    long at = s.root + (w.source >>> 8 & 0xff) * (long) RootEntry.BYTES;
    if (!d.root(s, w, at, 2)) {
      return Reason.LRT_1;
    }
    long low = d.root[0];
    long high = d.root[1];
    if (w.traced()) {
      w.note("root entry", RootEntry.LEGACY, at, low, high);
    }
    if (!RootEntry.P.isSet(low)) {
      return Reason.LRT_2;
    }
    if ((low & s.rootReserved) != 0 || high != 0) {
      return Reason.LRT_3;
    }
    at = RootEntry.CTP.in(low) + (w.source & 0xff) * (long) ContextEntry.BYTES;
    if (!d.context(s, w, at, 2)) {
      return Reason.LCT_1;
    }
    low = d.context[0];
    high = d.context[1];
    if (w.traced()) {
      w.note("context entry", ContextEntry.LAYOUT, at, low, high);
    }
    space.fpd = ContextEntry.FPD.isSet(low);
    w.fpd |= space.fpd;
    if (!ContextEntry.P.isSet(low)) {
      return Reason.LCT_2;
    }
    return decode(s, space, low, high);
  }

  private static @Nullable Reason decode(Setup s, Space space, long low, long high) {
    int tt = ContextEntry.TT.getInt(low);
    boolean passThrough = tt == ContextEntry.TT_PASS_THROUGH;
    // The second-stage root of a pass-through entry is ignored.
    long above = passThrough ? 0 : ContextEntry.SSPTPTR.in(s.beyond);
    if ((low & (s.contextReserved0 | above)) != 0 || (high & s.contextReserved1) != 0) {
      return Reason.LCT_3;
    }
    int aw = ContextEntry.AW.getInt(high);
    if (!s.supports(aw) || (passThrough && s.sagaw >> (aw + 1) != 0)) {
      return Reason.LCT_4_1;
    }
    if (tt == 3 || (tt == ContextEntry.TT_ATS && !s.dt) || (passThrough && !s.pt)) {
      return Reason.LCT_4_2;
    }
    space.did = ContextEntry.DID.getInt(high);
    space.ats = tt == ContextEntry.TT_ATS;
    space.kind = passThrough ? Space.PASS_THROUGH : Space.SECOND;
    space.ssRoot = ContextEntry.SSPTPTR.in(low);
    space.ssLevels = aw + 2;
    space.ssBits = Math.min(s.mgaw, 30 + 9 * aw);
    space.ssade = false;
    space.emte = false;
    space.pwsnp = true;
    space.pgsnp = false;
    space.hptRoot = 0;
    space.hptFaultDisable = false;
    space.finish(s);
    return null;
  }
}
