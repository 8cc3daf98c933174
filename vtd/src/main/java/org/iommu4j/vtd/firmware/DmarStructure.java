package org.iommu4j.vtd.firmware;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** A remapping structure of the table. VT-d §8.3 to §8.9. */
public sealed interface DmarStructure {
  /** The structure's number in the table. */
  int type();

  /** The devices that it speaks of; empty if it has no scopes. */
  default List<DeviceScope> scopes() {
    return List.of();
  }

  /**
   * A unit (DMA Remapping Hardware Unit Definition).
   *
   * @param flags bit 0: all PCI devices of the segment that no other unit names
   * @param size byte 5: bits 3:0 say that there are 2^N pages of registers; 0 in old tables
   * @param segment its PCI segment
   * @param base physical address of its registers, never 0
   * @param scopes its devices
   */
  record Drhd(int flags, int size, int segment, long base, List<DeviceScope> scopes)
      implements DmarStructure {
    /** Checks that everything fits. */
    public Drhd {
      scopes = List.copyOf(scopes);
      Range.check("flags", flags, 8);
      Range.check("size", size, 8);
      Range.check("segment", segment, 16);
      if (base == 0) {
        throw new IllegalArgumentException("a unit without registers: the base is 0");
      }
    }

    @Override
    public int type() {
      return DmarLayout.TYPE_DRHD;
    }

    /** Whether all PCI devices of the segment are behind the unit that no other unit names. */
    public boolean includesAll() {
      return (flags & 1) != 0;
    }

    /** Bytes of registers, as far as the table tells. */
    public long registerBytes() {
      return 4096L << (size & 0xf);
    }
  }

  /**
   * Memory that firmware goes on using through devices (Reserved Memory Region Reporting): it has
   * to stay mapped one to one.
   *
   * @param segment PCI segment of the devices
   * @param base first byte
   * @param limit last byte
   * @param scopes the devices
   */
  record Rmrr(int segment, long base, long limit, List<DeviceScope> scopes)
      implements DmarStructure {
    /** Checks that everything fits. */
    public Rmrr {
      scopes = List.copyOf(scopes);
      Range.check("segment", segment, 16);
    }

    @Override
    public int type() {
      return DmarLayout.TYPE_RMRR;
    }
  }

  /**
   * Root ports below which devices may use ATS (Root Port ATS Capability Reporting).
   *
   * @param flags bit 0: all root ports of the segment
   * @param segment its PCI segment
   * @param scopes the root ports
   */
  record Atsr(int flags, int segment, List<DeviceScope> scopes) implements DmarStructure {
    /** Checks that everything fits. */
    public Atsr {
      scopes = List.copyOf(scopes);
      Range.check("flags", flags, 8);
      Range.check("segment", segment, 16);
    }

    @Override
    public int type() {
      return DmarLayout.TYPE_ATSR;
    }

    /** Whether all root ports of the segment are meant. */
    public boolean allPorts() {
      return (flags & 1) != 0;
    }
  }

  /**
   * Where a unit is close to (Remapping Hardware Static Affinity).
   *
   * @param base the unit's, as its DRHD has it
   * @param proximityDomain as in SRAT
   */
  record Rhsa(long base, long proximityDomain) implements DmarStructure {
    /** Checks that everything fits. */
    public Rhsa {
      Range.check("proximity domain", proximityDomain, 32);
    }

    @Override
    public int type() {
      return DmarLayout.TYPE_RHSA;
    }
  }

  /**
   * A device that is not PCI (ACPI Name-space Device Declaration).
   *
   * @param deviceNumber what scopes call it, their enumeration id
   * @param path its full ACPI path
   * @param room bytes for the path, its final zero and filling
   */
  record Andd(int deviceNumber, String path, int room) implements DmarStructure {
    /** Checks that everything fits. */
    public Andd {
      Range.check("device number", deviceNumber, 8);
      if (path.length() >= room || room > 0xffff - DmarLayout.ANDD) {
        throw new IllegalArgumentException(
            "'%s' and a zero do not fit into %d bytes of at most %d"
                .formatted(path, room, 0xffff - DmarLayout.ANDD));
      }
      if (!path.chars().allMatch(c -> c > 0 && c <= 0xff)) {
        throw new IllegalArgumentException("'" + path + "' is no ACPI path");
      }
    }

    /** A device whose path takes no more room than it needs. */
    public static Andd of(int deviceNumber, String path) {
      return new Andd(deviceNumber, path, path.length() + 1);
    }

    @Override
    public int type() {
      return DmarLayout.TYPE_ANDD;
    }
  }

  /**
   * Integrated devices with translation caches (SoC Integrated Address Translation Cache).
   *
   * @param flags bit 0: the devices work only with ATS
   * @param segment their PCI segment
   * @param scopes the devices
   */
  record Satc(int flags, int segment, List<DeviceScope> scopes) implements DmarStructure {
    /** Checks that everything fits. */
    public Satc {
      scopes = List.copyOf(scopes);
      Range.check("flags", flags, 8);
      Range.check("segment", segment, 16);
    }

    @Override
    public int type() {
      return DmarLayout.TYPE_SATC;
    }

    /** Whether the devices work only with ATS. */
    public boolean atcRequired() {
      return (flags & 1) != 0;
    }
  }

  /**
   * Properties of integrated devices (SoC Integrated Device Property): takes SATC's place where it
   * is present. The flags are in the scopes.
   *
   * @param segment their PCI segment
   * @param scopes the devices, with flags
   */
  record Sidp(int segment, List<DeviceScope> scopes) implements DmarStructure {
    /** Checks that everything fits. */
    public Sidp {
      scopes = List.copyOf(scopes);
      Range.check("segment", segment, 16);
    }

    @Override
    public int type() {
      return DmarLayout.TYPE_SIDP;
    }
  }

  /**
   * A structure of a type that came later.
   *
   * @param type as in the table
   * @param body what follows type and length
   */
  record Other(int type, byte[] body) implements DmarStructure {
    /** Copies the bytes; types that have their own record are not for this one. */
    public Other {
      body = body.clone();
      Range.check("type", type, 16);
      if (type <= DmarLayout.TYPE_SIDP || body.length > 0xffff - DmarLayout.HEADER) {
        throw new IllegalArgumentException(
            "type %d with %d bytes is not one of later types".formatted(type, body.length));
      }
    }

    @Override
    public byte[] body() {
      return body.clone();
    }

    @Override
    public boolean equals(Object o) {
      return o instanceof Other other && type == other.type && Arrays.equals(body, other.body);
    }

    @Override
    public int hashCode() {
      return Objects.hash(type, Arrays.hashCode(body));
    }
  }
}
