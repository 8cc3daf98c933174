package org.iommu4j.amdvi.model;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.unit.RangeSearch;

/**
 * Looks into a unit with the unit's own walkers, in a workspace where nothing has an effect: what a
 * person is shown is what the hardware would do.
 */
final class AmdviInspector implements Inspector {
  private final AmdviIommu unit;

  AmdviInspector(AmdviIommu unit) {
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
    Reason reason = Translator.translate(s, w, request);
    if (reason != null) {
      return new Walk(
          steps,
          reason,
          0,
          w.missShift,
          0,
          "blocked: %s (%s)".formatted(reason.title(), reason.event()));
    }
    return Walk.passes(
        steps, request.iova(), w.pa, w.shift, w.permissions, w.coherent ? "coherent" : "");
  }

  @Override
  public View view(int source, int pasid, int limit) {
    Setup s = unit.setup();
    Workspace w = dry();
    w.permissive = true;
    DmaRequest request = new DmaRequest().source(source).pasid(pasid).access(Access.READ);
    Reason reason = Translator.translate(s, w, request.iova(0));
    boolean identity = reason == null && identity(w);
    if (pasid < 0
        && w.device.deviceId == w.deviceId
        && s.excludes(w.device)
        && !(identity && w.device.permissions != 0)) {
      return enumerate(s, w, request, limit); // whatever is to be said of all other addresses
    }
    if (!s.enabled || (reason == null && !w.device.valid)) {
      return new View(Reach.IDENTITY, null, List.of(), false);
    }
    if (identity) {
      return w.device.permissions == 0
          ? new View(Reach.BLOCKED, Reason.DTE_PERMISSION, List.of(), false)
          : new View(Reach.IDENTITY, null, List.of(), false);
    }
    if (reason != null && !ofPages(reason)) {
      return new View(Reach.BLOCKED, reason, List.of(), false);
    }
    return enumerate(s, w, request, limit);
  }

  /** Whether a reason is about one page, and others may pass. */
  private static boolean ofPages(Reason r) {
    return switch (r) {
      case DEVICE_OUT_OF_TABLE, BLOCKED, DTE_PERMISSION, MODE_UNSUPPORTED -> false;
      case PASID_WITHOUT_GUEST, GCR3_INVALID, GCR3_RESERVED -> false;
      default ->
          switch (r.event()) {
            case IO_PAGE_FAULT, PAGE_TAB_HARDWARE_ERROR, RMP_PAGE_FAULT, RMP_HARDWARE_ERROR -> true;
            default -> false;
          };
    };
  }

  /** Every range; see {@link RangeSearch}. */
  private static View enumerate(Setup s, Workspace w, DmaRequest request, int limit) {
    RangeSearch search = new RangeSearch(limit);
    while (search.asks()) {
      Reason reason = Translator.translate(s, w, request.iova(search.iova()));
      boolean none = reason != null || (identity(w) && w.permissions == 0);
      int shift = none ? missing(s, w, request) : w.shift;
      if (reason == null && w.permissions != 0) {
        search.found(shift, w.pa, w.permissions, false);
      }
      search.advance(
          shift, request.pasid() > 0 ? 11 + 9 * w.device.guestLevels : RangeSearch.NO_SIGN);
    }
    return search.view();
  }

  private static boolean identity(Workspace w) {
    return w.device.translates && w.device.mode == 0 && !w.device.guest(w.pasid);
  }

  /** How far a miss holds: the exclusion range may be reached in the midst of it. */
  private static int missing(Setup s, Workspace w, DmaRequest request) {
    return request.hasPasid() || !s.excludes(w.device)
        ? w.missShift
        : s.besideNotes(request.iova(), Math.min(w.missShift, 63));
  }

  @Override
  public List<Context> contexts(int limit) {
    Setup s = unit.setup();
    List<Context> found = new ArrayList<>();
    Workspace w = dry();
    for (int id = 0; id < 1 << 16 && s.enabled && found.size() < limit; id++) {
      Translator.begin(s, w, id, DmaRequest.NO_PASID);
      if (DeviceTable.locate(s, w) != null || !w.device.valid) {
        continue;
      }
      DeviceEntry d = w.device;
      // What no driver attached is blocked, all of it: that is no context.
      if (d.memoryFault == null && (!d.translates || d.permissions == 0) && !s.excludes(d)) {
        continue;
      }
      found.add(new Context(id, DmaRequest.NO_PASID, describe(d)));
      if (d.memoryFault == null && d.guest) {
        processes(s, w, id, found, limit);
      }
    }
    return found;
  }

  private static String describe(DeviceEntry d) {
    if (d.memoryFault != null) {
      return d.memoryFault.title();
    }
    List<String> parts = new ArrayList<>();
    parts.add(d.mode == 0 ? "no host table" : "host table of %d levels".formatted(d.mode));
    if (d.guest) {
      parts.add("guest tables by a GCR3 table of %d levels".formatted(d.gcr3Levels));
    }
    parts.add("domain " + d.domainId);
    if (d.iotlb) {
      parts.add(DeviceTableEntry.PPR.isSet(d.word0) ? "ATS, PPR" : "ATS");
    }
    return String.join(", ", parts);
  }

  private static void processes(Setup s, Workspace w, int id, List<Context> found, int limit) {
    DmaRequest request = new DmaRequest().source(id).access(Access.READ).iova(0);
    int all = 1 << Math.min(9 * w.device.gcr3Levels, s.pasidBits);
    w.permissive = true;
    for (int pasid = 0; pasid < all && found.size() < limit && w.patience > 0; w.patience--) {
      Reason reason = Translator.translate(s, w, request.pasid(pasid));
      boolean present = reason != Reason.GCR3_INVALID;
      if (present) {
        found.add(new Context(id, pasid, reason == null ? "guest tables" : reason.title()));
      }
      pasid++;
    }
    w.permissive = false;
  }

  private Workspace dry() {
    Workspace w = new Workspace(unit);
    w.dry(true);
    w.patience = RangeSearch.STEPS;
    return w;
  }
}
