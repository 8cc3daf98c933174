package org.iommu4j.machine;

import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptLines;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.dma.RegisterWindow;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.Capabilities;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.driver.FrameAllocator;
import org.iommu4j.driver.IommuDriver;
import org.iommu4j.machine.description.InvalidPlatform;
import org.iommu4j.machine.description.Place;
import org.iommu4j.machine.description.PlatformDescription;
import org.iommu4j.machine.description.PlatformDescription.Attachment;
import org.iommu4j.machine.description.PlatformDescription.Device;
import org.iommu4j.machine.description.PlatformDescription.DomainPlan;
import org.iommu4j.machine.description.PlatformDescription.Interrupt;
import org.iommu4j.machine.description.PlatformDescription.Mapping;
import org.iommu4j.machine.description.PlatformDescription.Range;
import org.iommu4j.machine.description.PlatformDescription.Target;
import org.iommu4j.machine.description.Units;
import org.jspecify.annotations.Nullable;

/** Makes a platform of its description. */
final class Builder {
  /** The setting that every architecture has: how much a unit caches. */
  static final String CACHE = "cache";

  private final PlatformDescription plan;
  private final Settings settings;
  private final PhysicalMemory memory = new PhysicalMemory();
  private final Map<String, Unit> units = new LinkedHashMap<>();
  private final List<InterruptTarget> targets = new ArrayList<>();
  private final List<Endpoint> endpoints = new ArrayList<>();
  private final List<Resource> fixed = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private final Ledger ledger = new Ledger(targets);

  Builder(PlatformDescription plan, Settings settings) {
    this.plan = plan;
    this.settings = settings;
  }

  Platform build() {
    boolean done = false;
    try {
      plan.memory().forEach(this::memory);
      plan.targets().forEach(this::target);
      plan.iommus().forEach(this::unit);
      plan.devices().forEach(this::endpoint);
      plan.domains().forEach(this::domain);
      plan.attachments().forEach(this::attach);
      plan.interrupts().forEach(this::interrupt);
      Platform platform =
          new Platform(
              plan.name(),
              plan.about(),
              memory,
              List.copyOf(units.values()),
              endpoints,
              targets,
              ledger,
              fixed,
              notes);
      done = true;
      return platform;
    } finally {
      if (!done) {
        units.values().forEach(Unit::close);
        memory.close();
      }
    }
  }

  private InvalidPlatform invalid(Place at, String message, String advice) {
    return new InvalidPlatform(plan.file(), at, message, advice);
  }

  private void memory(Range r) {
    try {
      memory.addAnonymous(r.base(), r.size());
    } catch (UncheckedIOException | IllegalArgumentException e) {
      throw invalid(
          r.at(),
          "memory of %s cannot be had: %s".formatted(Units.size(r.size()), e.getMessage()),
          "make it smaller");
    }
  }

  private void target(Target t) {
    Long placed = t.base();
    long base = placed == null ? addressOf(t) : placed;
    for (Range r : plan.memory()) {
      if (r.overlaps(base, InterruptTarget.BYTES)) {
        throw invalid(
            r.at(),
            "this memory covers %s, where %s takes messages"
                .formatted(Units.address(base), t.name()),
            "end it before, and go on behind");
      }
    }
    // Where units of several architectures share a target, their messages have one form.
    Architecture first = architecture(plan.iommus().getFirst());
    InterruptTarget target = new InterruptTarget(t.name(), base, first::interruptIdentity);
    try {
      memory.addDevice(base, InterruptTarget.BYTES, target);
    } catch (IllegalArgumentException e) {
      throw invalid(
          t.at(), t.name() + ": " + e.getMessage(), "give each page an address of its own");
    }
    targets.add(target);
    fixed.add(
        new Resource(t.name(), Resource.Kind.INTERRUPT_TARGET, base, InterruptTarget.BYTES, ""));
  }

  /** Where the architecture has the messages of a processor. */
  private long addressOf(Target t) {
    List<Long> all =
        plan.iommus().stream()
            .map(u -> architecture(u).interruptAddress(t.cpu()))
            .distinct()
            .toList();
    if (all.size() > 1) {
      throw invalid(
          t.at(),
          "%s: the architectures of this platform differ in where processor %d takes messages"
              .formatted(t.name(), t.cpu()),
          "give an address: base: " + Units.address(all.getFirst()));
    }
    return all.getFirst();
  }

  private void unit(PlatformDescription.Unit u) {
    Architecture architecture = architecture(u);
    try {
      Fabric fabric = new Fabric();
      Iommu iommu =
          architecture.create(
              options(u, architecture), new Host(memory, fabric, InterruptLines.NONE));
      fabric.unit = iommu;
      memory.addDevice(u.base(), iommu.registerBytes(), iommu);
      for (RegisterWindow w : iommu.registerWindows()) {
        if (w.base() != 0) {
          memory.addDevice(w.base(), w.bytes(), w.registers());
        }
      }
      Range frames = u.frames();
      IommuDriver driver =
          DriverProvider.forArchitecture(architecture.id())
              .probe(
                  new DriverHost(
                      iommu,
                      memory,
                      new FrameAllocator(memory, frames.base(), frames.size()),
                      messageAddress(u.target()),
                      u.data()),
                  Options.of(sameArchitecture(u, architecture) ? u.driver() : Map.of()));
      units.put(u.name(), new Unit(u.name(), architecture, iommu, u.base(), driver));
      driver.start();
      fixed.add(
          new Resource(
              u.name() + " registers",
              Resource.Kind.REGISTERS,
              u.base(),
              iommu.registerBytes(),
              u.name()));
      fixed.add(
          new Resource(
              u.name() + " tables", Resource.Kind.TABLES, frames.base(), frames.size(), u.name()));
      devices(u.name()).forEach(d -> fabric.ats.put(d.source(), d.ats()));
    } catch (IllegalArgumentException | DriverException e) {
      throw invalid(u.at(), u.name() + ": " + e.getMessage(), "change it, or remove it");
    }
  }

  private Architecture architecture(PlatformDescription.Unit u) {
    String id = settings.arch() == null ? u.arch() : settings.arch();
    try {
      return Architecture.named(id);
    } catch (IllegalArgumentException e) {
      throw invalid(u.at(), u.name() + ": " + e.getMessage(), "change arch, or use --arch");
    }
  }

  private static boolean sameArchitecture(PlatformDescription.Unit u, Architecture architecture) {
    return u.arch().equals(architecture.id());
  }

  /** The file's settings; for another architecture than the file's, those that it knows too. */
  private Options options(PlatformDescription.Unit u, Architecture architecture) {
    Map<String, String> given = new LinkedHashMap<>(u.options());
    if (!sameArchitecture(u, architecture)) {
      List<String> known = architecture.options().stream().map(Architecture.Option::name).toList();
      List<String> dropped = given.keySet().stream().filter(o -> !known.contains(o)).toList();
      given.keySet().removeAll(dropped);
      if (!dropped.isEmpty()) {
        notes.add(
            "%s is %s here, not %s as in the file: left out %s"
                .formatted(u.name(), architecture.id(), u.arch(), String.join(", ", dropped)));
      }
    }
    if (settings.cache() != null) {
      given.put(CACHE, settings.cache().name().toLowerCase(Locale.ROOT).replace('_', '-'));
    }
    return Options.of(given);
  }

  private long messageAddress(@Nullable String target) {
    return targets.stream()
        .filter(t -> t.name().equals(target))
        .mapToLong(InterruptTarget::base)
        .findFirst()
        .orElse(0);
  }

  private List<Device> devices(String unit) {
    return plan.devices().stream().filter(d -> d.iommu().equals(unit)).toList();
  }

  private Unit unit(String name) {
    Unit unit = units.get(name);
    if (unit == null) {
      throw new IllegalArgumentException("no unit is called '" + name + "'");
    }
    return unit;
  }

  private void endpoint(Device d) {
    Unit unit = unit(d.iommu());
    int bits = unit.driver().capabilities().sourceBits();
    if (bits < 32 && d.source() >>> bits != 0) {
      throw invalid(
          d.at(),
          "%s: id 0x%x has more than the %d bits that %s looks at"
              .formatted(d.name(), d.source(), bits, unit.name()),
          "use a smaller id");
    }
    endpoints.add(new Endpoint(d.name(), d.about(), d.source(), unit, d.pasids(), d.ats()));
  }

  private void domain(DomainPlan d) {
    Unit unit = unit(d.iommu());
    Capabilities can = unit.driver().capabilities();
    if (!can.domainTypes().contains(d.type())) {
      throw invalid(
          d.at(),
          "%s has no domains of type %s".formatted(unit.name(), d.type()),
          "it has " + can.domainTypes());
    }
    try {
      ledger.add(d.name(), unit, unit.driver().createDomain(d.type()));
    } catch (DriverException e) {
      throw invalid(d.at(), d.name() + ": " + e.getMessage(), "");
    }
    String widened = unit.name() + " cannot map for writing only: such pages are readable, too";
    if (!can.writeOnly()
        && !notes.contains(widened)
        && d.maps().stream().anyMatch(m -> m.permissions() == Access.WRITE)) {
      notes.add(widened);
    }
    for (Mapping m : d.maps()) {
      try {
        ledger.map(ledger.account(d.name()), m);
      } catch (IllegalArgumentException | IllegalStateException | DriverException e) {
        throw invalid(m.at(), m.name() + ": " + e.getMessage(), "change the mapping");
      }
    }
  }

  private void attach(Attachment a) {
    Endpoint endpoint =
        endpoints.stream().filter(e -> e.name().equals(a.device())).findFirst().orElseThrow();
    if (a.pasid() != DmaRequest.NO_PASID
        && endpoint.unit().driver().capabilities().pasidBits() == 0) {
      notes.add(
          "%s has no PASIDs: %s is left out"
              .formatted(endpoint.unit().name(), endpoint.label(a.pasid())));
      return;
    }
    try {
      ledger.attach(ledger.account(a.domain()), endpoint, a.pasid());
    } catch (IllegalArgumentException | IllegalStateException | DriverException e) {
      throw invalid(
          a.at(),
          "%s to %s: %s".formatted(endpoint.label(a.pasid()), a.domain(), e.getMessage()),
          "change the attachment");
    }
  }

  private void interrupt(Interrupt i) {
    Endpoint endpoint =
        endpoints.stream().filter(e -> e.name().equals(i.device())).findFirst().orElseThrow();
    InterruptTarget target =
        targets.stream().filter(t -> t.name().equals(i.target())).findFirst().orElseThrow();
    try {
      ledger.add(
          new DeviceInterrupt(
              i.name(),
              endpoint,
              target,
              i.data(),
              endpoint.unit().driver().interrupt(endpoint.source(), target.base(), i.data())));
    } catch (IllegalArgumentException | IllegalStateException | DriverException e) {
      throw invalid(i.at(), i.name() + ": " + e.getMessage(), "change the interrupt");
    }
  }

  /** Devices with ATS keep nothing for long: they complete every invalidation at once. */
  private static final class Fabric implements AtsFabric {
    private final Map<Integer, Boolean> ats = new HashMap<>();
    private @Nullable Iommu unit;

    @Override
    public void invalidate(AtsInvalidation request) {
      if (unit != null && ats.getOrDefault(request.source(), false)) {
        unit.invalidationCompleted(request.source(), request.segmented(), 1 << request.tag(), 1);
      }
    }

    @Override
    public void respond(PageResponse response) {}
  }
}
