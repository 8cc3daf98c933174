package org.iommu4j.amdvi.firmware;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.IvrsFields;
import org.iommu4j.amdvi.layout.Registers;

/** A block of the table: about a unit or about memory. 48882, "IVRS Blocks". */
public sealed interface IvrsBlock {
  /** The block's number in the table. */
  int type();

  /**
   * A unit (I/O Virtualization Hardware Definition). One unit can have several, of different types,
   * of which only one counts: {@link Ivrs#units}.
   *
   * @param type 10h, 11h or 40h
   * @param flags see {@link IvrsFields#UNIT_FLAGS}
   * @param deviceId the unit's own
   * @param capability where its capability block is in configuration space
   * @param base physical address of its registers
   * @param segment its PCI segment
   * @param info see {@link IvrsFields#UNIT_INFO}
   * @param attributes see {@link IvrsFields#ATTRIBUTES}, of type 10h {@link
   *     IvrsFields#FEATURE_REPORTING}
   * @param efr image of the Extended Feature Register; 0 of type 10h
   * @param efr2 image of Extended Feature 2; 0 of type 10h
   * @param entries its devices
   */
  record Ivhd(
      int type,
      int flags,
      int deviceId,
      int capability,
      long base,
      int segment,
      int info,
      long attributes,
      long efr,
      long efr2,
      List<DeviceEntry> entries)
      implements IvrsBlock {
    /** The first type. */
    public static final int TYPE_10 = IvrsLayout.TYPE_IVHD_10;

    /** With images of the feature registers. */
    public static final int TYPE_11 = IvrsLayout.TYPE_IVHD_11;

    /** With ACPI devices, too. */
    public static final int TYPE_40 = IvrsLayout.TYPE_IVHD_40;

    /** Copies the list, and checks that everything fits. */
    public Ivhd {
      entries = List.copyOf(entries);
      if (!IvrsLayout.isUnit(type)) {
        throw new IllegalArgumentException(
            "no unit has a block of type 0x%x; types are 10h, 11h and 40h".formatted(type));
      }
      Range.check("flags", flags, 8);
      Range.check("DeviceID", deviceId, 16);
      Range.check("capability offset", capability, 16);
      Range.check("segment", segment, 16);
      Range.check("IOMMU info", info, 16);
      Range.check("attributes", attributes, 32);
      if (type == TYPE_10 && (efr | efr2) != 0) {
        throw new IllegalArgumentException("a block of type 10h has no feature images");
      }
    }

    /** Whether the block has images of the feature registers. */
    public boolean hasImages() {
      return type != TYPE_10;
    }

    /** Whether the unit has no host tables. */
    public boolean hostTablesDisabled() {
      return hasImages() && IvrsFields.HAT_DIS.isSet(attributes);
    }

    /** Bytes of registers: with performance counters there are more. */
    public int registerBytes() {
      boolean counters =
          hasImages()
              ? ExtendedFeatures.PC_SUP.isSet(efr)
              : IvrsFields.PN_COUNTERS.isSet(attributes) && IvrsFields.PN_BANKS.isSet(attributes);
      return counters ? Registers.BYTES_WITH_COUNTERS : Registers.BYTES;
    }

    /** The devices behind the unit, in the entries' order. Ranges without an end are left out. */
    public List<DeviceRange> ranges() {
      return Ranges.of(entries);
    }

    /** Whether the device is behind the unit; the unit itself never is, whatever entries say. */
    public boolean covers(int device) {
      return device != deviceId && ranges().stream().anyMatch(r -> r.covers(device));
    }

    /** The DTE setting of a device: that of the smallest range with one, as Linux takes it. */
    public int settingOf(int device) {
      DeviceRange best = null;
      for (DeviceRange r : ranges()) {
        if (r.covers(device) && r.setting() != 0 && (best == null || r.size() < best.size())) {
          best = r;
        }
      }
      return best == null ? 0 : best.setting();
    }

    /** What a device's requests carry as DeviceID. */
    public int aliasOf(int device) {
      int alias = device;
      for (DeviceRange r : ranges()) {
        if (r.covers(device) && r.alias() != DeviceRange.NO_ALIAS) {
          alias = r.alias();
        }
      }
      return alias;
    }
  }

  /**
   * Memory that firmware goes on using through devices (I/O Virtualization Memory Definition).
   *
   * @param type 20h of all devices, 21h of one, 22h of a range
   * @param flags see {@link IvrsFields#MEMORY_FLAGS}
   * @param deviceId the device, or the first one
   * @param last the last one, of type 22h
   * @param segment their PCI segment
   * @param start first byte
   * @param length bytes
   */
  record Ivmd(int type, int flags, int deviceId, int last, int segment, long start, long length)
      implements IvrsBlock {
    /** Of all devices. */
    public static final int ALL = IvrsLayout.TYPE_IVMD_ALL;

    /** Of one device. */
    public static final int ONE = IvrsLayout.TYPE_IVMD_ONE;

    /** Of a range of devices. */
    public static final int RANGE = IvrsLayout.TYPE_IVMD_RANGE;

    /** Checks that everything fits. */
    public Ivmd {
      if (!IvrsLayout.isMemory(type)) {
        throw new IllegalArgumentException(
            "no memory has a block of type 0x%x; types are 20h to 22h".formatted(type));
      }
      Range.check("flags", flags, 8);
      Range.check("DeviceID", deviceId, 16);
      Range.check("last DeviceID", last, 16);
      Range.check("segment", segment, 16);
    }

    /** Whether the device uses the memory. */
    public boolean covers(int device) {
      return switch (type) {
        case ALL -> true;
        case ONE -> device == deviceId;
        default -> device >= deviceId && device <= last;
      };
    }

    /**
     * Whether the memory has to stay reachable for the devices; without it the block does nothing.
     */
    public boolean isMapped() {
      return IvrsFields.UNITY.isSet(flags) || IvrsFields.EXCLUSION.isSet(flags);
    }

    /** Whether devices may read it: an exclusion range is open. */
    public boolean isReadable() {
      return IvrsFields.EXCLUSION.isSet(flags)
          || (IvrsFields.UNITY.isSet(flags) && IvrsFields.IR.isSet(flags));
    }

    /** Whether devices may write it: an exclusion range is open. */
    public boolean isWritable() {
      return IvrsFields.EXCLUSION.isSet(flags)
          || (IvrsFields.UNITY.isSet(flags) && IvrsFields.IW.isSet(flags));
    }
  }

  /**
   * A block of a type that came later.
   *
   * @param type as in the table
   * @param flags byte 1
   * @param body what follows the length
   */
  record Other(int type, int flags, byte[] body) implements IvrsBlock {
    /** Copies the bytes; types that have their own record are not for this one. */
    public Other {
      body = body.clone();
      Range.check("type", type, 8);
      Range.check("flags", flags, 8);
      if (IvrsLayout.isUnit(type)
          || IvrsLayout.isMemory(type)
          || body.length > 0xffff - IvrsLayout.BLOCK) {
        throw new IllegalArgumentException(
            "type 0x%02x with %d bytes is not one of later types".formatted(type, body.length));
      }
    }

    @Override
    public byte[] body() {
      return body.clone();
    }

    @Override
    public boolean equals(Object o) {
      return o instanceof Other other
          && type == other.type
          && flags == other.flags
          && Arrays.equals(body, other.body);
    }

    @Override
    public int hashCode() {
      return Objects.hash(type, flags, Arrays.hashCode(body));
    }
  }
}
