package org.iommu4j.riscv.firmware;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** A node of the table. */
public sealed interface RimtNode {
  /** The node's own id, unique in the table. */
  int id();

  /** Where the node's ids lead; empty if it has none. */
  default List<IdMapping> mappings() {
    return List.of();
  }

  /**
   * An IOMMU.
   *
   * @param id the node's id
   * @param hardwareId the ACPI hardware id, or for a PCIe function vendor and device
   * @param base physical address of its registers; 0 for a PCIe function
   * @param flags bit 0 PCIe function, bit 1 the proximity domain is valid
   * @param proximityDomain where it is close to
   * @param segment PCIe segment, for a PCIe function
   * @param bdf bus, device and function, for a PCIe function
   * @param wires its interrupts
   */
  record Iommu(
      int id,
      String hardwareId,
      long base,
      long flags,
      long proximityDomain,
      int segment,
      int bdf,
      List<Wire> wires)
      implements RimtNode {
    /** Copies the list. */
    public Iommu {
      wires = List.copyOf(wires);
    }

    /** Whether the unit is a PCIe function, found by segment and bdf and not by its address. */
    public boolean isPcie() {
      return (flags & 1) != 0;
    }

    /** Whether {@link #proximityDomain} means anything. */
    public boolean hasProximityDomain() {
      return (flags & 2) != 0;
    }
  }

  /**
   * An interrupt wire of an IOMMU.
   *
   * @param number global system interrupt
   * @param flags bit 0 level-triggered, bit 1 active high
   */
  record Wire(long number, long flags) {}

  /**
   * A PCIe root complex.
   *
   * @param id the node's id
   * @param flags bit 0 ATS, bit 1 page requests are supported
   * @param segment its PCIe segment
   * @param mappings of its requester ids
   */
  record RootComplex(int id, long flags, int segment, List<IdMapping> mappings)
      implements RimtNode {
    /** Copies the list. */
    public RootComplex {
      mappings = List.copyOf(mappings);
    }

    /** Whether devices below may use ATS. */
    public boolean ats() {
      return (flags & 1) != 0;
    }

    /** Whether devices below may request pages. */
    public boolean pri() {
      return (flags & 2) != 0;
    }
  }

  /**
   * A device that is not PCIe.
   *
   * @param id the node's id
   * @param path its full ACPI path
   * @param mappings of its ids
   */
  record PlatformDevice(int id, String path, List<IdMapping> mappings) implements RimtNode {
    /** Copies the list. */
    public PlatformDevice {
      mappings = List.copyOf(mappings);
    }
  }

  /**
   * A node of a type that came later.
   *
   * @param type as in the table
   * @param revision of the node
   * @param id the node's id
   * @param body what follows the node's header
   */
  record Other(int type, int revision, int id, byte[] body) implements RimtNode {
    /** Copies the bytes. */
    public Other {
      body = body.clone();
    }

    @Override
    public byte[] body() {
      return body.clone();
    }

    @Override
    public boolean equals(Object o) {
      return o instanceof Other other
          && type == other.type
          && revision == other.revision
          && id == other.id
          && Arrays.equals(body, other.body);
    }

    @Override
    public int hashCode() {
      return Objects.hash(type, revision, id, Arrays.hashCode(body));
    }
  }
}
