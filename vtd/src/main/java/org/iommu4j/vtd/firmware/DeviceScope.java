package org.iommu4j.vtd.firmware;

import java.util.List;

/**
 * A device, or a bridge with all that is below it, that a structure of the table speaks of. VT-d
 * §8.3.1.
 *
 * @param type {@link #ENDPOINT}, {@link #BRIDGE}, {@link #IOAPIC}, {@link #HPET}, {@link
 *     #NAMESPACE} or what came later
 * @param flags of SIDP: {@link #NO_NESTING} and the others; 0 elsewhere
 * @param enumerationId the I/O APIC's id, the HPET's number or the ACPI device's number; else 0
 * @param bus where the path starts
 * @param path from there through bridges to the device; at least one step
 */
public record DeviceScope(int type, int flags, int enumerationId, int bus, List<Hop> path) {
  /** A PCI function. */
  public static final int ENDPOINT = 1;

  /** A PCI bridge and everything below it. */
  public static final int BRIDGE = 2;

  /** An I/O APIC; bus and path are the source id of its interrupts. */
  public static final int IOAPIC = 3;

  /** An HPET that sends messages; bus and path are the source id of its interrupts. */
  public static final int HPET = 4;

  /** A device that ANDD names; bus and path are the source id of its requests. */
  public static final int NAMESPACE = 5;

  /** SIDP: nested translation is not allowed. */
  public static final int NO_NESTING = 1;

  /** SIDP: page-walk snoop is restricted. */
  public static final int PWSNP_RESTRICTED = 2;

  /** SIDP: page snoop is restricted. */
  public static final int PGSNP_RESTRICTED = 4;

  /** SIDP: the device's translation cache cannot be made to lie. */
  public static final int ATC_HARDENED = 8;

  /** SIDP: the device works only with its translation cache. */
  public static final int ATC_REQUIRED = 16;

  /** Steps at most: the length of a scope is one byte, (254 - 6) / 2. */
  public static final int LONGEST_PATH = 124;

  /**
   * A step of a path.
   *
   * @param device 0..31; firmware can write up to 255, which is no device
   * @param function 0..7; likewise
   */
  public record Hop(int device, int function) {
    /** Checks that both fit into a byte. */
    public Hop {
      Range.check("device", device, 8);
      Range.check("function", function, 8);
    }

    /** Whether there can be such a function. */
    boolean isPci() {
      return device < 32 && function < 8;
    }
  }

  /** Copies the path, and checks that everything fits. */
  public DeviceScope {
    path = List.copyOf(path);
    Range.check("scope type", type, 8);
    Range.check("scope flags", flags, 8);
    Range.check("enumeration id", enumerationId, 8);
    Range.check("start bus", bus, 8);
    if (path.isEmpty() || path.size() > LONGEST_PATH) {
      throw new IllegalArgumentException(
          "a path of %d steps; it has 1 to %d".formatted(path.size(), LONGEST_PATH));
    }
  }

  /** A PCI function on a bus that needs no bridge to be found. */
  public static DeviceScope endpoint(int bus, int device, int function) {
    return new DeviceScope(ENDPOINT, 0, 0, bus, List.of(new Hop(device, function)));
  }

  /** What the type is called. */
  public String typeName() {
    return switch (type) {
      case ENDPOINT -> "PCI endpoint";
      case BRIDGE -> "PCI bridge";
      case IOAPIC -> "I/O APIC";
      case HPET -> "HPET";
      case NAMESPACE -> "ACPI device";
      default -> "type " + type;
    };
  }

  /**
   * The requester id of the device at the end of the path.
   *
   * @param bridges tells the buses below bridges
   * @return bus, device and function; -1 if a step is no bridge, or no PCI function
   */
  public int resolve(int segment, Bridges bridges) {
    int at = bus;
    for (int i = 0; ; i++) {
      Hop hop = path.get(i);
      if (!hop.isPci()) {
        return -1;
      }
      int function = at << 8 | hop.device() << 3 | hop.function();
      if (i == path.size() - 1) {
        return function;
      }
      Bridges.Buses below = bridges.below(segment, function);
      if (below == null) {
        return -1;
      }
      at = below.secondary();
    }
  }

  /** Whether the scope covers a requester: the function itself, or all below a bridge. */
  public boolean covers(int segment, int requesterId, Bridges bridges) {
    int function = resolve(segment, bridges);
    if (function < 0) {
      return false;
    }
    if (function == requesterId) {
      return true;
    }
    if (type != BRIDGE) {
      return false;
    }
    Bridges.Buses below = bridges.below(segment, function);
    int requesterBus = requesterId >>> 8;
    return below != null
        && requesterBus >= below.secondary()
        && requesterBus <= below.subordinate();
  }

  /** For people: type, ids and the path as firmware wrote it. */
  @Override
  public String toString() {
    StringBuilder s = new StringBuilder(typeName());
    if (enumerationId != 0 || type == IOAPIC || type == HPET || type == NAMESPACE) {
      s.append(' ').append(enumerationId);
    }
    s.append(" %02x".formatted(bus));
    for (Hop h : path) {
      s.append(":%02x.%x".formatted(h.device(), h.function()));
    }
    if (flags != 0) {
      s.append(" flags 0x%x".formatted(flags));
    }
    return s.toString();
  }
}
