package org.iommu4j.vtd.model;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.InterruptRequest;
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
  /**
   * Tables that point to themselves can hold 2^45 entries; what a person asks about ends after 16
   * million (about two seconds), and the answer says so. Who asks for little waits for less.
   */
  private static final int MAX_STEPS = 1 << 24;

  private static final int STEPS = 1 << 18;
  private static final int STEPS_PER_MAPPING = 1 << 12;

  private final VtdIommu unit;

  VtdInspector(VtdIommu unit) {
    this.unit = unit;
  }

  @Override
  public Walk walk(DmaRequest request) {
    Setup s = unit.setup();
    Workspace w = dry();
    List<Step> steps = new ArrayList<>();
    w.trace = steps;
    if (request.addressType() == AddressType.UNTRANSLATED
        && !request.hasPasid()
        && Setup.interrupt(request.iova())) {
      return new Walk(
          steps,
          null,
          request.iova(),
          20,
          Access.WRITE,
          "interrupt range: a write of four bytes is an interrupt, all else is refused");
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
    return new Walk(
        steps,
        null,
        w.pa,
        w.shift,
        w.permissions,
        "passes: 0x%x -> 0x%x, %s, %s%s"
            .formatted(
                request.iova(),
                w.pa,
                Access.permissions(w.permissions),
                size(1L << w.shift),
                w.snoop ? ", snooped" : ""));
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

  /**
   * Every range, found by asking for one address after the other: a miss tells how far the missing
   * entry would have reached, so empty tables cost one step.
   */
  private static View enumerate(Setup s, Workspace w, DmaRequest request, int limit) {
    List<Mapping> found = new ArrayList<>();
    long iova = 0;
    long most = Math.min(MAX_STEPS, STEPS + (long) STEPS_PER_MAPPING * limit);
    for (long step = 0; step < most; step++) {
      FaultReason reason = Translator.translate(s, w, request.iova(iova));
      int shift = reason == null ? w.shift : w.missShift;
      if (reason == null && w.permissions != 0) {
        long offset = iova & ((1L << shift) - 1);
        add(found, new Mapping(iova, (1L << shift) - offset, w.pa, w.permissions, false));
        if (found.size() > limit) {
          found.remove(found.size() - 1);
          return new View(Reach.TRANSLATED, null, found, true);
        }
      }
      long next = shift >= 63 ? 0 : (iova | ((1L << shift) - 1)) + 1;
      // Between the two halves of a sign-extended space nothing can be mapped.
      if (w.space.hasFirstStage()) {
        int sign = 11 + 9 * w.space.fsLevels;
        if (next == 1L << sign) {
          next = -1L << sign;
        }
      }
      if (Long.compareUnsigned(next, iova) <= 0) {
        return new View(Reach.TRANSLATED, null, found, false);
      }
      iova = next;
    }
    return new View(Reach.TRANSLATED, null, found, true);
  }

  private static void add(List<Mapping> found, Mapping next) {
    if (!found.isEmpty()) {
      Mapping last = found.get(found.size() - 1);
      if (last.iova() + last.size() == next.iova()
          && last.pa() + last.size() == next.pa()
          && last.permissions() == next.permissions()) {
        found.set(
            found.size() - 1,
            new Mapping(
                last.iova(), last.size() + next.size(), last.pa(), last.permissions(), false));
        return;
      }
    }
    found.add(next);
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
        if (!w.load(s, at) || !RootEntry.P.isSet(w.entry)) {
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
          || !PasidDirectoryEntry.P.isSet(w.entry)) {
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
    w.dry = true;
    w.patience = STEPS;
    return w;
  }

  private static String size(long bytes) {
    return bytes >= 1L << 30
        ? (bytes >> 30) + " GiB"
        : bytes >= 1 << 20 ? (bytes >> 20) + " MiB" : (bytes >> 10) + " KiB";
  }
}
