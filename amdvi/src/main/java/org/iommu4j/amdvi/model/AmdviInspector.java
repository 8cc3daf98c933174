package org.iommu4j.amdvi.model;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AddressType;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Inspector;

/**
 * Looks into a unit with the unit's own walkers, in a workspace where nothing has an effect: what a
 * person is shown is what the hardware would do.
 */
final class AmdviInspector implements Inspector {
  /**
   * Tables that point to themselves can hold 2^45 entries; what a person asks about ends after 16
   * million (about two seconds), and the answer says so. Who asks for little waits for less.
   */
  private static final int MAX_STEPS = 1 << 24;

  private static final int STEPS = 1 << 18;
  private static final int STEPS_PER_MAPPING = 1 << 12;

  private final AmdviIommu unit;

  AmdviInspector(AmdviIommu unit) {
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
                w.coherent ? ", coherent" : ""));
  }

  @Override
  public View view(int source, int pasid, int limit) {
    Setup s = unit.setup();
    Workspace w = dry();
    w.permissive = true;
    DmaRequest request = new DmaRequest().source(source).pasid(pasid).access(Access.READ);
    Reason reason = Translator.translate(s, w, request.iova(0));
    if (!s.enabled || (reason == null && !w.device.valid)) {
      return new View(Reach.IDENTITY, null, List.of(), false);
    }
    if (reason == null && w.device.mode == 0 && !w.device.guest(pasid)) {
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

  /**
   * Every range, found by asking for one address after the other: a miss tells how far the missing
   * entry would have reached, so empty tables cost one step.
   */
  private static View enumerate(Setup s, Workspace w, DmaRequest request, int limit) {
    List<Mapping> found = new ArrayList<>();
    long iova = 0;
    long most = Math.min(MAX_STEPS, STEPS + (long) STEPS_PER_MAPPING * limit);
    for (long step = 0; step < most; step++) {
      Reason reason = Translator.translate(s, w, request.iova(iova));
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
      if (request.pasid() > 0) {
        int sign = 11 + 9 * w.device.guestLevels;
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
    Workspace w = dry();
    for (int id = 0; id < 1 << 16 && s.enabled && found.size() < limit; id++) {
      Translator.begin(s, w, id, DmaRequest.NO_PASID);
      if (DeviceTable.locate(s, w) != null || !w.device.valid) {
        continue;
      }
      DeviceEntry d = w.device;
      // What no driver attached is blocked, all of it: that is no context.
      if (d.memoryFault == null && (!d.translates || d.permissions == 0)) {
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
