package org.iommu4j.machine.description;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.iommu4j.core.dma.Access;
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
import org.iommu4j.machine.description.Step.Expectation;
import org.jspecify.annotations.Nullable;

/** Makes the records of a tree that the schema has accepted. */
final class Binder {
  private static final long PAGE = 4096;
  private static final List<String> VERBS =
      List.of("read", "write", "fetch", "cas", "msi", "map", "unmap", "attach", "detach");

  private final Node.Reading reading;
  private String firstIommu = "";
  private boolean oneIommu;
  private List<Target> targets = List.of();

  Binder(Node.Reading reading) {
    this.reading = reading;
  }

  PlatformDescription bind() {
    Node root = Node.root(reading);
    List<Unit> iommus = root.list("iommus", this::unit);
    firstIommu = iommus.getFirst().name();
    oneIommu = iommus.size() == 1;
    targets = root.list("targets", Binder::target);
    return new PlatformDescription(
        reading.file(),
        root.text("platform", ""),
        root.text("about", "").strip(),
        root.list("memory", n -> range(n, "memory")),
        iommus,
        root.list("devices", this::device),
        targets,
        root.list("domains", this::domain),
        root.list("attach", Binder::attachment),
        root.list("interrupts", Binder::interrupt),
        root.list("scenario", this::step).stream().filter(Objects::nonNull).toList(),
        root.list("traffic", Binder::traffic));
  }

  private static Range range(Node n, String name) {
    return new Range(n.at(), n.text("name", name), n.address("base", 0), n.size("size", PAGE));
  }

  private Unit unit(Node n) {
    Node interrupt = n.map("interrupt");
    boolean messages = n.has("interrupt");
    return new Unit(
        n.at(),
        n.text("name", ""),
        n.text("arch", ""),
        n.address("base", 0),
        range(n.map("frames"), "frames"),
        messages ? interrupt.text("target", "") : null,
        (int) interrupt.address("data", 1),
        n.settings("options"),
        n.settings("driver"));
  }

  private Device device(Node n) {
    return new Device(
        n.at(),
        n.text("name", ""),
        n.text("about", "").strip(),
        n.requester("id"),
        iommuOf(n, "device"),
        n.integers("pasids"),
        n.flag("ats"));
  }

  private String iommuOf(Node n, String what) {
    if (!n.has("iommu") && !oneIommu) {
      reading.problem(
          n.at(),
          "this " + what + " does not say behind which IOMMU it is, and there are several",
          "add iommu: <name>");
    }
    return n.text("iommu", firstIommu);
  }

  private static Target target(Node n) {
    boolean placed = n.has("base");
    if (placed == n.has("cpu")) {
      n.problem(
          "",
          "an interrupt target belongs to a processor or is at an address",
          "give one, cpu: 0 or base: 0x2800_0000");
    }
    return new Target(
        n.at(), n.text("name", ""), placed ? n.address("base", 0) : null, n.integer("cpu", 0));
  }

  private static Interrupt interrupt(Node n) {
    return new Interrupt(
        n.at(),
        n.text("name", ""),
        n.text("device", ""),
        n.text("target", ""),
        (int) n.address("data", 0));
  }

  private DomainPlan domain(Node n) {
    String name = n.text("name", "");
    return new DomainPlan(
        n.at(),
        name,
        iommuOf(n, "domain"),
        DomainType.valueOf(n.text("type", "dma-strict").replace('-', '_').toUpperCase(Locale.ROOT)),
        n.list("maps", m -> mapping(m, name)));
  }

  private Mapping mapping(Node n, String domain) {
    long iova = n.address("iova", 0);
    String name = n.text("name", domain + " " + Units.address(iova));
    @Nullable String target = n.has("target") ? targetOf(n) : null;
    if (target != null) {
      name = n.text("name", target);
    }
    if (n.has("target") == n.has("pa")) {
      n.problem(
          "", "a mapping leads to an address or to an interrupt target", "give one, pa or target");
    } else if (n.has("pa") && !(n.has("size") && n.has("allow"))) {
      n.problem("", "a mapping of memory needs size and allow", "add them: size: 64K, allow: rw");
    }
    return new Mapping(
        n.at(),
        name,
        iova,
        n.address("pa", 0),
        n.size("size", PAGE),
        permissions(n.text("allow", "w")),
        target);
  }

  /** The name of an interrupt target, which has to exist. */
  private String targetOf(Node n) {
    String wanted = n.text("target", "");
    List<String> known = targets.stream().map(Target::name).toList();
    if (!known.contains(wanted)) {
      n.problem(
          "target",
          "interrupt target '" + wanted + "' does not exist",
          Similar.advice(wanted, known));
    }
    return wanted;
  }

  private static int permissions(String allow) {
    return (allow.indexOf('r') >= 0 ? Access.READ : 0)
        | (allow.indexOf('w') >= 0 ? Access.WRITE : 0)
        | (allow.indexOf('x') >= 0 ? Access.EXECUTE : 0);
  }

  private static Attachment attachment(Node n) {
    return new Attachment(n.at(), n.text("device", ""), n.pasid(), n.text("domain", ""));
  }

  private static Traffic traffic(Node n) {
    String device = n.text("device", "");
    return new Traffic(
        n.at(),
        n.text("name", device),
        device,
        n.pasid(),
        n.address("iova", 0),
        n.size("size", PAGE),
        n.text("do", "read").equals("write"),
        n.size("access", 8),
        n.text("pattern", "sequential").equals("random"),
        n.integer("threads", 1),
        n.real("seconds", 0),
        n.address("count", 0));
  }

  private Step.Msi msi(Node s, String note, Expectation expect) {
    boolean interrupt = s.has("interrupt");
    boolean target = s.has("target");
    int ways = (interrupt ? 1 : 0) + (target ? 1 : 0) + (s.has("address") ? 1 : 0);
    if (ways != 1) {
      s.problem(
          "",
          "a message is that of an interrupt, or goes to a target or to an address",
          "give one of interrupt, target, address");
    } else if (interrupt == s.has("data")) {
      s.problem(
          "",
          interrupt ? "an interrupt has its data" : "a message needs data",
          interrupt ? "remove data" : "add data: 33");
    }
    return new Step.Msi(
        s.at(),
        note,
        s.text("device", ""),
        s.has("as") ? s.requester("as") : null,
        s.pasid(),
        interrupt ? s.text("interrupt", "") : null,
        target ? targetOf(s) : null,
        s.address("address", 0),
        (int) s.address("data", 0),
        expect);
  }

  private @Nullable Step step(Node n) {
    List<String> verbs = new ArrayList<>(VERBS);
    verbs.removeIf(v -> !n.has(v));
    if (verbs.size() != 1) {
      reading.problem(
          n.at(),
          verbs.isEmpty()
              ? "this step does nothing"
              : "this step does several things: " + String.join(", ", verbs),
          "give each step one of " + String.join(", ", VERBS));
      return null;
    }
    String verb = verbs.getFirst();
    Node s = n.map(verb);
    Place at = s.at();
    String note = n.text("note", "").strip();
    Expectation expect = Expectation.valueOf(s.text("expect", "ok").toUpperCase(Locale.ROOT));
    String device = s.text("device", "");
    String domain = s.text("domain", "");
    @Nullable Integer as = s.has("as") ? s.requester("as") : null;
    return switch (verb) {
      case "cas" ->
          new Step.Cas(
              at,
              note,
              device,
              as,
              s.pasid(),
              s.address("iova", 0),
              s.integer("length", 8),
              expect);
      case "msi" -> msi(s, note, expect);
      case "map" -> new Step.Map(at, note, domain, mapping(s, domain), expect);
      case "unmap" ->
          new Step.Unmap(at, note, domain, s.address("iova", 0), s.size("size", PAGE), expect);
      case "attach" -> new Step.Attach(at, note, device, s.pasid(), domain, expect);
      case "detach" -> new Step.Detach(at, note, device, s.pasid(), expect);
      default ->
          new Step.Dma(
              at,
              note,
              Step.Kind.valueOf(verb.toUpperCase(Locale.ROOT)),
              device,
              as,
              s.pasid(),
              s.address("iova", 0),
              s.size("length", 1),
              s.has("pa") ? s.address("pa", 0) : null,
              expect);
    };
  }
}
