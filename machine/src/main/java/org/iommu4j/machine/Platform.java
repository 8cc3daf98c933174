package org.iommu4j.machine;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.machine.capture.CaptureException;
import org.iommu4j.machine.capture.CaptureFolder;
import org.iommu4j.machine.description.InvalidPlatform;
import org.iommu4j.machine.description.PlatformDescription;
import org.iommu4j.machine.description.Units;

/**
 * Physical memory, IOMMU units with their drivers, the devices behind them, and what takes their
 * interrupts.
 *
 * <pre>{@code
 * try (Platform platform = Platform.of(PlatformFile.example(), Settings.NONE)) {
 *   Endpoint nic = platform.endpoint("nic").orElseThrow();
 *   ...
 * }
 * }</pre>
 */
public final class Platform implements AutoCloseable {
  private final String name;
  private final String about;
  private final PhysicalMemory memory;
  private final List<Unit> units;
  private final List<Endpoint> endpoints;
  private final List<InterruptTarget> targets;
  private final Ledger ledger;
  private final List<Resource> fixed;
  private final List<String> notes;

  Platform(
      String name,
      String about,
      PhysicalMemory memory,
      List<Unit> units,
      List<Endpoint> endpoints,
      List<InterruptTarget> targets,
      Ledger ledger,
      List<Resource> fixed,
      List<String> notes) {
    this.name = name;
    this.about = about;
    this.memory = memory;
    this.units = List.copyOf(units);
    this.endpoints = List.copyOf(endpoints);
    this.targets = List.copyOf(targets);
    this.ledger = ledger;
    this.fixed = List.copyOf(fixed);
    this.notes = List.copyOf(notes);
  }

  /**
   * Builds a described platform and brings it up: drivers start, domains are made, filled and
   * attached. The scenario is not played.
   *
   * @throws InvalidPlatform if the description asks for what cannot be had
   */
  public static Platform of(PlatformDescription description, Settings settings) {
    return new Builder(description, settings).build();
  }

  /**
   * The machine that a capture shows. No driver programs its units.
   *
   * @throws CaptureException if the folder is no capture, or no architecture knows its units
   */
  public static Platform ofCapture(Path folder) throws CaptureException {
    return new CapturedPlatform(CaptureFolder.open(folder)).build();
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /** A few words, or empty. */
  public String about() {
    return about;
  }

  /** The physical address space. */
  public PhysicalMemory memory() {
    return memory;
  }

  /** The IOMMU units. */
  public List<Unit> units() {
    return units;
  }

  /** The devices. */
  public List<Endpoint> endpoints() {
    return endpoints;
  }

  /** What takes interrupts. */
  public List<InterruptTarget> targets() {
    return targets;
  }

  /**
   * The interrupt target of that name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public InterruptTarget target(String wanted) {
    return targets.stream()
        .filter(t -> t.name().equals(wanted))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("no interrupt target is called '" + wanted + "'"));
  }

  /**
   * The interrupt of that name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public DeviceInterrupt interrupt(String wanted) {
    return ledger.interrupts().stream()
        .filter(i -> i.name().equals(wanted))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no interrupt is called '" + wanted + "'"));
  }

  /** What the drivers were asked to do; empty for a capture. */
  public Ledger ledger() {
    return ledger;
  }

  /** What a reader should know: where the platform differs from its description, and why. */
  public List<String> notes() {
    return notes;
  }

  /** What may be reached or not: buffers, interrupt targets, registers, tables. */
  public List<Resource> resources() {
    List<Resource> all = new ArrayList<>(ledger.buffers());
    all.addAll(fixed);
    return all;
  }

  /** A device by name, PCI function or requester id. */
  public Optional<Endpoint> endpoint(String text) {
    Optional<Endpoint> named =
        endpoints.stream().filter(e -> e.name().equalsIgnoreCase(text)).findFirst();
    if (named.isPresent()) {
      return named;
    }
    try {
      int source = Units.parseRequester(text);
      return endpoints.stream().filter(e -> e.source() == source).findFirst();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** Takes the units down and releases the memory. */
  @Override
  public void close() {
    units.forEach(Unit::close);
    memory.close();
  }
}
