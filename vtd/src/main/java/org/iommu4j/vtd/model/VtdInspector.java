package org.iommu4j.vtd.model;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.unit.RangeSearch;
import org.iommu4j.vtd.layout.PasidDirectoryEntry;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.Registers;
import org.iommu4j.vtd.layout.RootEntry;
import org.jspecify.annotations.Nullable;

/**
 * Looks into a unit with the unit's own walkers, in a workspace where nothing has an effect: what a
 * person is shown is what the hardware would do.
 */
final class VtdInspector implements Inspector {
  private final VtdIommu unit;

  VtdInspector(VtdIommu unit) {
    this.unit = unit;
  }

  @Override
  public Walk walk(DmaRequest request) {
    Setup s = unit.setup();
    Workspace w = dry();
    List<Step> steps = new ArrayList<>();
    w.trace(steps);
    if (request.addressType() == AddressType.UNTRANSLATED
        && !request.hasPasid()
        && Setup.interrupt(request.iova())) {
      return Walk.interruptRange(request.iova());
    }
    FaultReason reason = Translator.translate(s, w, request);
    if (reason != null) {
      String id = reason instanceof Reason r ? r.id() + ", reason " + r.codeText() : "";
      return new Walk(
          steps,
          reason,
          0,
          w.missShift,
          0,
          "blocked: " + reason.title() + (id.isEmpty() ? "" : " (" + id + ")"));
    }
    return Walk.passes(
        steps, request.iova(), w.pa, w.shift, w.permissions, w.snoop ? "snooped" : "");
  }

  @Override
  public Walk walk(InterruptRequest message) {
    return message.pasid() == DmaRequest.NO_PASID && Setup.interrupt(message.address())
        ? unit.interrupts().follow(message.source(), message.address(), message.data())
        : Inspector.super.walk(message);
  }

  @Override
  public View view(int source, int pasid, int limit) {
    Setup s = unit.setup();
    Workspace w = dry();
    w.permissive = true;
    DmaRequest request = new DmaRequest().source(source).pasid(pasid).access(Access.READ);
    FaultReason reason = Translator.translate(s, w, request.iova(0));
    if (!s.enabled) {
      return new View(Reach.IDENTITY, null, List.of(), false);
    }
    if (reason == null && w.space.kind == Space.PASS_THROUGH) {
      return new View(Reach.IDENTITY, null, List.of(), false);
    }
    if (reason instanceof Reason r && !ofPages(r)) {
      return new View(Reach.BLOCKED, r, List.of(), false);
    }
    return enumerate(s, w, request, limit);
  }

  /** Whether a reason is about one page, and others may pass. */
  private static boolean ofPages(Reason r) {
    return switch (r) {
      case LSS_1, LSS_2, LGN_1_1, LGN_2, LGN_3, LGN_4 -> true;
      case SFS_1, SFS_2, SFS_3, SFS_5, SFS_7, SFS_8, SFS_9, SFS_10 -> true;
      case SSS_1, SSS_2, SSS_3, SSS_5, SSS_6 -> true;
      case SGN_1, SGN_2, SGN_5, SGN_6, SGN_7, SGN_8 -> true;
      default -> false;
    };
  }

  /** Every range; see {@link RangeSearch}. */
  private static View enumerate(Setup s, Workspace w, DmaRequest request, int limit) {
    RangeSearch search = new RangeSearch(limit);
    while (search.asks()) {
      FaultReason reason = Translator.translate(s, w, request.iova(search.iova()));
      int shift = reason == null ? w.shift : w.missShift;
      if (reason == null && w.permissions != 0) {
        search.found(shift, w.pa, w.permissions, false);
      }
      search.advance(
          shift, w.space.hasFirstStage() ? 11 + 9 * w.space.fsLevels : RangeSearch.NO_SIGN);
    }
    return search.view();
  }

  @Override
  public List<Context> contexts(int limit) {
    Setup s = unit.setup();
    List<Context> found = new ArrayList<>();
    boolean scalable = s.ttm == Registers.TTM_SCALABLE && s.smts;
    if (!s.enabled || (s.ttm != Registers.TTM_LEGACY && !scalable)) {
      return found;
    }
    Workspace w = dry();
    for (int bus = 0; bus < 256; bus++) {
      for (int half = 0; half < 2; half++) {
        long at = s.root + bus * (long) RootEntry.BYTES + (scalable ? half * Long.BYTES : 0);
        if (!w.load(s, at) || !RootEntry.P.isSet(w.entry())) {
          continue;
        }
        for (int fn = 0; fn < 128 && found.size() < limit; fn++) {
          int source = bus << 8 | half << 7 | fn;
          if (scalable) {
            scalable(s, w, source, found, limit);
          } else {
            legacy(s, w, source, found);
          }
        }
      }
    }
    return found;
  }

  private static void legacy(Setup s, Workspace w, int source, List<Context> found) {
    Translator.begin(s, w, source, DmaRequest.NO_PASID);
    Reason fault = LegacyTables.locate(s, w);
    if (fault != Reason.LCT_2) {
      found.add(new Context(source, DmaRequest.NO_PASID, describe(w.space, fault)));
    }
  }

  private static void scalable(Setup s, Workspace w, int source, List<Context> found, int limit) {
    Translator.begin(s, w, source, DmaRequest.NO_PASID);
    ScalableContext c = ScalableTables.context(s, w);
    if (c.fault == Reason.SCT_2) {
      return;
    }
    if (c.fault != null) {
      found.add(new Context(source, DmaRequest.NO_PASID, c.fault.title()));
      return;
    }
    for (int table = 0; table < c.reach >>> 6 && w.patience > 0; table++, w.patience--) {
      if (!w.load(s, c.directory + (long) table * PasidDirectoryEntry.BYTES)
          || !PasidDirectoryEntry.P.isSet(w.entry())) {
        continue;
      }
      for (int i = 0; i < 64 && found.size() < limit; i++) {
        int pasid = table << 6 | i;
        w.patience--;
        Reason fault = ScalableTables.locate(s, w, c, pasid);
        if (fault != Reason.SPT_2) {
          found.add(
              new Context(
                  source,
                  pasid == c.ridPasid ? DmaRequest.NO_PASID : pasid,
                  describe(w.space, fault)));
        }
      }
    }
  }

  private static String describe(Space space, @Nullable Reason fault) {
    if (fault != null) {
      return fault.title();
    }
    String ats = space.ats ? ", ATS" : "";
    return switch (space.kind) {
      case Space.PASS_THROUGH -> "pass-through, domain %d%s".formatted(space.did, ats);
      case Space.FIRST ->
          "first stage of %d levels, domain %d%s".formatted(space.fsLevels, space.did, ats);
      case Space.SECOND ->
          "second stage of %d levels, domain %d%s".formatted(space.ssLevels, space.did, ats);
      default ->
          "first stage of %d over second stage of %d levels, domain %d%s"
              .formatted(space.fsLevels, space.ssLevels, space.did, ats);
    };
  }

  private Workspace dry() {
    Workspace w = new Workspace(unit);
    w.dry(true);
    w.patience = RangeSearch.STEPS;
    return w;
  }
}
