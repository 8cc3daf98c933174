package org.iommu4j.machine.description;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.driver.DomainType;
import org.iommu4j.machine.description.PlatformDescription.Attachment;
import org.iommu4j.machine.description.PlatformDescription.Device;
import org.iommu4j.machine.description.PlatformDescription.DomainPlan;
import org.iommu4j.machine.description.PlatformDescription.Interrupt;
import org.iommu4j.machine.description.PlatformDescription.Mapping;
import org.iommu4j.machine.description.PlatformDescription.Range;
import org.iommu4j.machine.description.PlatformDescription.Target;
import org.iommu4j.machine.description.PlatformDescription.Traffic;
import org.iommu4j.machine.description.PlatformDescription.Unit;

/** What a schema cannot say: names that must exist, ranges that must not overlap. */
final class Rules {
  private static final long PAGE = 4096;
  private static final long LARGEST_ACCESS = 1 << 20;

  private final PlatformDescription platform;
  private final List<Problem> problems = new ArrayList<>();

  private Rules(PlatformDescription platform) {
    this.platform = platform;
  }

  /** Every rule that the platform breaks. */
  static List<Problem> check(PlatformDescription platform) {
    Rules rules = new Rules(platform);
    rules.names();
    rules.ranges();
    rules.domains();
    rules.attachments();
    rules.steps();
    rules.traffic();
    return rules.problems;
  }

  private void problem(Place at, String message, String advice) {
    problems.add(new Problem(platform.file(), at, message, advice));
  }

  private void names() {
    unique("IOMMU", platform.iommus(), Unit::name, Unit::at);
    unique("device", platform.devices(), Device::name, Device::at);
    unique("interrupt target", platform.targets(), Target::name, Target::at);
    unique("domain", platform.domains(), DomainPlan::name, DomainPlan::at);
    unique("interrupt", platform.interrupts(), Interrupt::name, Interrupt::at);
    unique(
        "device id",
        platform.devices(),
        d -> Units.requester(d.source()) + " behind " + d.iommu(),
        Device::at);
    for (Device d : platform.devices()) {
      known("IOMMU", d.iommu(), names(platform.iommus(), Unit::name), d.at());
    }
    for (Unit u : platform.iommus()) {
      String target = u.target();
      if (target != null) {
        known("interrupt target", target, names(platform.targets(), Target::name), u.at());
      }
    }
    for (Interrupt i : platform.interrupts()) {
      known("device", i.device(), names(platform.devices(), Device::name), i.at());
      known("interrupt target", i.target(), names(platform.targets(), Target::name), i.at());
    }
  }

  private <T> void unique(
      String what, List<T> all, Function<T, String> name, Function<T, Place> at) {
    Map<String, Place> seen = new HashMap<>();
    for (T t : all) {
      Place before = seen.putIfAbsent(name.apply(t), at.apply(t));
      if (before != null) {
        problem(
            at.apply(t),
            what + " " + name.apply(t) + " was given before, at " + before,
            "give each its own");
      }
    }
  }

  private static <T> List<String> names(List<T> all, Function<T, String> name) {
    return all.stream().map(name).toList();
  }

  private boolean known(String what, String name, List<String> all, Place at) {
    if (all.contains(name)) {
      return true;
    }
    problem(at, what + " '" + name + "' does not exist", Similar.advice(name, all));
    return false;
  }

  private void ranges() {
    List<Range> memory = platform.memory();
    for (int i = 0; i < memory.size(); i++) {
      Range r = memory.get(i);
      pages("memory", r.at(), r.base(), r.size());
      for (Range other : memory.subList(0, i)) {
        if (r.overlaps(other.base(), other.size())) {
          problem(
              r.at(),
              "memory at %s overlaps that at %s"
                  .formatted(Units.address(r.base()), Units.address(other.base())),
              "move or shorten one of them");
        }
      }
    }
    for (Unit u : platform.iommus()) {
      Range f = u.frames();
      pages("registers", u.at(), u.base(), PAGE);
      pages("frames", f.at(), f.base(), f.size());
      if (memory.stream().noneMatch(r -> r.holds(f.base(), f.size()))) {
        problem(
            f.at(),
            "the frames %s are not in one memory range".formatted(text(f.base(), f.size())),
            "choose a part of " + memoryText());
      }
      if (platform.iommus().stream().anyMatch(v -> f.overlaps(v.base(), PAGE))) {
        problem(
            f.at(),
            "the registers of an IOMMU lie in these frames",
            "move one of them: registers precede memory at the same address");
      }
      for (Unit other : platform.iommus().subList(0, platform.iommus().indexOf(u))) {
        if (f.overlaps(other.frames().base(), other.frames().size())) {
          problem(
              f.at(),
              "the frames overlap those of " + other.name(),
              "give each driver its own memory");
        }
      }
    }
    for (Target t : platform.targets()) {
      Long base = t.base();
      if (base != null) {
        pages("interrupt target", t.at(), base, PAGE);
      }
    }
  }

  private void pages(String what, Place at, long base, long size) {
    if (((base | size) & (PAGE - 1)) != 0) {
      problem(at, what + " " + text(base, size) + " is not page aligned", "use multiples of 4K");
    } else if (base != 0 && Long.compareUnsigned(base + size - 1, base) < 0 || size < 0) {
      problem(at, what + " " + text(base, size) + " ends beyond the address space", "shorten it");
    }
  }

  private static String text(long base, long size) {
    return Units.address(base) + " of " + Units.size(size);
  }

  private String memoryText() {
    return String.join(
        ", ", platform.memory().stream().map(r -> text(r.base(), r.size())).toList());
  }

  private void domains() {
    for (DomainPlan d : platform.domains()) {
      known("IOMMU", d.iommu(), names(platform.iommus(), Unit::name), d.at());
      if (d.type() != DomainType.DMA_STRICT && !d.maps().isEmpty()) {
        problem(
            d.maps().getFirst().at(),
            "domain " + d.name() + " does not translate, so nothing can be mapped in it",
            "use type: dma-strict, or remove its maps");
      }
      for (int i = 0; i < d.maps().size(); i++) {
        Mapping m = d.maps().get(i);
        mapping(m);
        Range here = new Range(m.at(), m.name(), m.iova(), m.size());
        for (Mapping other : d.maps().subList(0, i)) {
          if (here.overlaps(other.iova(), other.size())) {
            problem(
                m.at(),
                "device addresses %s are mapped already, at %s"
                    .formatted(text(m.iova(), m.size()), other.at()),
                "choose other ones");
          }
        }
      }
    }
  }

  private void mapping(Mapping m) {
    pages("iova", m.at(), m.iova(), m.size());
    pages("pa", m.at(), m.pa(), m.size());
  }

  private void attachments() {
    Map<String, Place> seen = new HashMap<>();
    for (Attachment a : platform.attachments()) {
      attachment(a.at(), a.device(), a.pasid(), a.domain());
      Place before = seen.putIfAbsent(a.device() + " " + a.pasid(), a.at());
      if (before != null) {
        problem(
            a.at(),
            a.device()
                + (a.pasid() == DmaRequest.NO_PASID ? "" : " pasid " + a.pasid())
                + " is attached already, at "
                + before,
            "attach each device and PASID once; later changes are steps");
      }
    }
  }

  private void attachment(Place at, String device, int pasid, String domain) {
    if (requester(at, device, pasid)
        && known("domain", domain, names(platform.domains(), DomainPlan::name), at)) {
      String front = platform.device(device).iommu();
      String home =
          platform.domains().stream()
              .filter(d -> d.name().equals(domain))
              .findFirst()
              .orElseThrow()
              .iommu();
      if (!front.equals(home)) {
        problem(
            at,
            "device %s is behind %s, domain %s belongs to %s"
                .formatted(device, front, domain, home),
            "use a domain of " + front);
      }
    }
  }

  private boolean requester(Place at, String device, int pasid) {
    if (!known("device", device, names(platform.devices(), Device::name), at)) {
      return false;
    }
    List<Integer> pasids = platform.device(device).pasids();
    if (pasid != DmaRequest.NO_PASID && !pasids.contains(pasid)) {
      problem(
          at,
          "device %s has no PASID %d".formatted(device, pasid),
          "add it to the device: pasids: [%d]".formatted(pasid));
      return false;
    }
    return true;
  }

  private void steps() {
    List<String> domains = names(platform.domains(), DomainPlan::name);
    for (Step step : platform.scenario()) {
      switch (step) {
        case Step.Device s -> {
          requester(step.at(), s.device(), s.pasid());
          if (s instanceof Step.Dma dma && Long.compareUnsigned(dma.length(), LARGEST_ACCESS) > 0) {
            problem(dma.at(), "an access has at most 1M bytes", "make it several steps");
          }
          String interrupt = s instanceof Step.Msi msi ? msi.interrupt() : null;
          if (interrupt != null) {
            known("interrupt", interrupt, names(platform.interrupts(), Interrupt::name), s.at());
          }
        }
        case Step.Map s -> {
          known("domain", s.domain(), domains, s.at());
          mapping(s.mapping());
        }
        case Step.Unmap s -> {
          known("domain", s.domain(), domains, s.at());
          pages("iova", s.at(), s.iova(), s.size());
        }
        case Step.Attach s -> attachment(s.at(), s.device(), s.pasid(), s.domain());
        case Step.Detach s -> requester(s.at(), s.device(), s.pasid());
      }
    }
  }

  private void traffic() {
    for (Traffic t : platform.traffic()) {
      requester(t.at(), t.device(), t.pasid());
      if (Long.compareUnsigned(t.access(), LARGEST_ACCESS) > 0 || t.access() > t.size()) {
        problem(
            t.at(),
            "accesses of %s do not fit %s".formatted(Units.size(t.access()), Units.size(t.size())),
            "use an access of at most 1M that fits the range");
      }
    }
  }
}
