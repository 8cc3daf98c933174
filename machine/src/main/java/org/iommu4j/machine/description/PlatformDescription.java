package org.iommu4j.machine.description;

import java.util.List;
import java.util.Map;
import org.iommu4j.driver.DomainType;
import org.jspecify.annotations.Nullable;

/**
 * A platform file as records: what there is, what the drivers set up, what the devices do. Names
 * are resolved and unique; every record knows its place in the file.
 *
 * @param file the file's name, for messages
 * @param name the platform's name
 * @param about a few words, or empty
 * @param memory the memory ranges
 * @param iommus the IOMMU units, at least one
 * @param devices the devices, at least one
 * @param targets the interrupt targets
 * @param domains the domains
 * @param attachments which device uses which domain
 * @param interrupts what interrupts devices have
 * @param scenario what happens, in order
 * @param traffic what is measured
 */
public record PlatformDescription(
    String file,
    String name,
    String about,
    List<Range> memory,
    List<Unit> iommus,
    List<Device> devices,
    List<Target> targets,
    List<DomainPlan> domains,
    List<Attachment> attachments,
    List<Interrupt> interrupts,
    List<Step> scenario,
    List<Traffic> traffic) {

  /** Copies the lists. */
  public PlatformDescription {
    memory = List.copyOf(memory);
    iommus = List.copyOf(iommus);
    devices = List.copyOf(devices);
    targets = List.copyOf(targets);
    domains = List.copyOf(domains);
    attachments = List.copyOf(attachments);
    interrupts = List.copyOf(interrupts);
    scenario = List.copyOf(scenario);
    traffic = List.copyOf(traffic);
  }

  /** A range of physical addresses. */
  public record Range(Place at, String name, long base, long size) {
    /** The last byte. */
    public long last() {
      return base + size - 1;
    }

    /** Whether {@code length} bytes from {@code first} lie inside. */
    public boolean holds(long first, long length) {
      long offset = first - base;
      return Long.compareUnsigned(offset, size) < 0
          && Long.compareUnsigned(length, size - offset) <= 0;
    }

    /** Whether the ranges have a byte in common. */
    public boolean overlaps(long first, long length) {
      return Long.compareUnsigned(first, last()) <= 0
          && Long.compareUnsigned(base, first + length - 1) <= 0;
    }
  }

  /**
   * An IOMMU unit.
   *
   * @param base physical address of its registers
   * @param frames the memory for the driver's tables and queues
   * @param target the name of the interrupt target for its own messages; null for polling
   * @param data the first message's data
   * @param options the unit's settings, by the architecture's names
   * @param driver the driver's settings
   */
  public record Unit(
      Place at,
      String name,
      String arch,
      long base,
      Range frames,
      @Nullable String target,
      int data,
      Map<String, String> options,
      Map<String, String> driver) {
    /** Copies the maps. */
    public Unit {
      options = Map.copyOf(options);
      driver = Map.copyOf(driver);
    }
  }

  /**
   * A device.
   *
   * @param source its requester id
   * @param iommu the name of the unit in front of it
   * @param pasids the PASIDs that it uses
   * @param ats whether it keeps translations itself
   */
  public record Device(
      Place at,
      String name,
      String about,
      int source,
      String iommu,
      List<Integer> pasids,
      boolean ats) {
    /** Copies the list. */
    public Device {
      pasids = List.copyOf(pasids);
    }
  }

  /**
   * An interrupt target: a page that takes messages.
   *
   * @param base its physical address; null for where the architecture has that of {@code cpu}
   * @param cpu the processor, if {@code base} is null
   */
  public record Target(Place at, String name, @Nullable Long base, int cpu) {}

  /**
   * An interrupt of a device, which its driver asks for.
   *
   * @param target the name of the target where it arrives
   * @param data what arrives there: the identity, or on a PC the vector
   */
  public record Interrupt(Place at, String name, String device, String target, int data) {}

  /** A domain with what is mapped before the scenario begins. */
  public record DomainPlan(
      Place at, String name, String iommu, DomainType type, List<Mapping> maps) {
    /** Copies the list. */
    public DomainPlan {
      maps = List.copyOf(maps);
    }
  }

  /**
   * A mapping.
   *
   * @param pa where it leads, if {@code target} is null
   * @param permissions {@link org.iommu4j.core.dma.Access} bits
   * @param target the name of the interrupt target where it leads; null for memory
   */
  public record Mapping(
      Place at,
      String name,
      long iova,
      long pa,
      long size,
      int permissions,
      @Nullable String target) {
    /** The same, leading to an address. */
    public Mapping to(long address) {
      return new Mapping(at, name, iova, address, size, permissions, null);
    }

    /** The same with other permissions. */
    public Mapping allowing(int others) {
      return new Mapping(at, name, iova, pa, size, others, target);
    }

    /** A part of it. */
    public Mapping part(long offset, long length) {
      return new Mapping(at, name, iova + offset, pa + offset, length, permissions, target);
    }
  }

  /**
   * An attachment.
   *
   * @param pasid the PASID, or {@link org.iommu4j.core.dma.DmaRequest#NO_PASID}
   */
  public record Attachment(Place at, String device, int pasid, String domain) {}

  /**
   * Accesses to measure.
   *
   * @param access bytes of one access
   * @param seconds how long; 0 for a share of one second
   * @param count accesses of each thread; 0 for as many as the time allows
   */
  public record Traffic(
      Place at,
      String name,
      String device,
      int pasid,
      long iova,
      long size,
      boolean write,
      long access,
      boolean random,
      int threads,
      double seconds,
      long count) {}

  /** The unit of that name. */
  public Unit iommu(String unit) {
    return iommus.stream().filter(u -> u.name.equals(unit)).findFirst().orElseThrow();
  }

  /** The device of that name. */
  public Device device(String device) {
    return devices.stream().filter(d -> d.name.equals(device)).findFirst().orElseThrow();
  }
}
