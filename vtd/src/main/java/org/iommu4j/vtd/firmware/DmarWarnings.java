package org.iommu4j.vtd.firmware;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Looks for what a table may not say and a kernel can live with. VT-d §8.3 to §8.8. */
final class DmarWarnings {
  private static final long PAGE = 4096;

  private final Dmar dmar;
  private final List<String> found = new ArrayList<>();

  private DmarWarnings(Dmar dmar) {
    this.dmar = dmar;
  }

  static List<String> of(Dmar dmar) {
    DmarWarnings w = new DmarWarnings(dmar);
    w.units();
    w.regions();
    w.affinities();
    w.devices();
    dmar.structures().forEach(w::scopes);
    return List.copyOf(w.found);
  }

  private void say(String format, Object... args) {
    found.add(format.formatted(args));
  }

  private void units() {
    List<DmarStructure.Drhd> units = dmar.all(DmarStructure.Drhd.class);
    if (units.isEmpty()) {
      say("No DRHD: the table names no unit, nothing is remapped. Switch VT-d on in the setup.");
    }
    Set<Long> bases = new HashSet<>();
    Map<Integer, Long> rest = new HashMap<>();
    for (DmarStructure.Drhd u : units) {
      if (Long.remainderUnsigned(u.base(), u.registerBytes()) != 0) {
        say(
            "DRHD 0x%x: registers of %d bytes have to be aligned to that many.",
            u.base(), u.registerBytes());
      }
      if (!bases.add(u.base())) {
        say("DRHD 0x%x: there are two of them, the second is ignored.", u.base());
      }
      Long before = rest.get(u.segment());
      if (before != null) {
        say(
            "DRHD 0x%x: it follows 0x%x, which includes all PCI devices of segment %d and has to be"
                + " the last one there.",
            u.base(), before, u.segment());
      }
      if (u.includesAll()) {
        rest.putIfAbsent(u.segment(), u.base());
      }
    }
  }

  private void regions() {
    for (DmarStructure.Rmrr r : dmar.all(DmarStructure.Rmrr.class)) {
      if (r.base() % PAGE != 0
          || (r.limit() + 1) % PAGE != 0
          || Long.compareUnsigned(r.limit(), r.base()) <= 0) {
        say(
            "RMRR 0x%x..0x%x: it has to begin and to end with a page. The kernel says 'bad RMRR'"
                + " and maps what it can; ask for an update of the firmware.",
            r.base(), r.limit());
      }
      if (r.scopes().isEmpty()) {
        say("RMRR 0x%x: no device uses it, so it is mapped for none.", r.base());
      }
    }
  }

  private void affinities() {
    Set<Long> bases = new HashSet<>();
    dmar.all(DmarStructure.Drhd.class).forEach(u -> bases.add(u.base()));
    for (DmarStructure.Rhsa r : dmar.all(DmarStructure.Rhsa.class)) {
      if (!bases.contains(r.base())) {
        say("RHSA 0x%x: there is no such unit, so it has no effect.", r.base());
      }
    }
  }

  private void devices() {
    Set<Integer> named = new HashSet<>();
    for (DmarStructure.Andd a : dmar.all(DmarStructure.Andd.class)) {
      if (!named.add(a.deviceNumber())) {
        say("ANDD %d: two devices have the number.", a.deviceNumber());
      }
    }
    Set<Integer> scoped = new HashSet<>();
    for (DmarStructure s : dmar.structures()) {
      for (DeviceScope d : s.scopes()) {
        if (d.type() == DeviceScope.NAMESPACE && scoped.add(d.enumerationId())) {
          if (!named.contains(d.enumerationId())) {
            say("Scope %s: no ANDD names the device, so it is never found.", d);
          }
        }
      }
    }
    for (int number : named) {
      if (!scoped.contains(number)) {
        say("ANDD %d: no unit has the device in its scope, so its DMA is not known.", number);
      }
    }
    if (!dmar.all(DmarStructure.Sidp.class).isEmpty()
        && !dmar.all(DmarStructure.Satc.class).isEmpty()) {
      say(
          "SATC and SIDP are both present: SATC is to be ignored. Linux up to 7.2 reads only"
              + " SATC.");
    }
  }

  private void scopes(DmarStructure s) {
    for (DeviceScope d : s.scopes()) {
      if (d.type() < DeviceScope.ENDPOINT || d.type() > DeviceScope.NAMESPACE) {
        say("Scope %s: the kernel says 'Unsupported device scope' and passes over it.", d);
      }
      for (DeviceScope.Hop h : d.path()) {
        if (!h.isPci()) {
          say("Scope %s: device %d.%d cannot exist.", d, h.device(), h.function());
        }
      }
      if (d.flags() != 0 && !(s instanceof DmarStructure.Sidp)) {
        say("Scope %s: flags have a meaning only in a SIDP.", d);
      }
      int wanted = wanted(s);
      if (wanted != 0 && d.type() != wanted) {
        say(
            "Scope %s: %s, where only scopes of type %d belong.",
            d, s.getClass().getSimpleName().toUpperCase(java.util.Locale.ROOT), wanted);
      }
    }
  }

  private static int wanted(DmarStructure s) {
    return switch (s) {
      case DmarStructure.Atsr a -> DeviceScope.BRIDGE;
      case DmarStructure.Satc t -> DeviceScope.ENDPOINT;
      default -> 0;
    };
  }
}
