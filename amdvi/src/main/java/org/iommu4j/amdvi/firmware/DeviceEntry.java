package org.iommu4j.amdvi.firmware;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;

/**
 * A device entry of a unit's block: devices that are behind the unit. 48882, "IVHD Device Entries".
 *
 * <p>Settings are what firmware wants in the device table entries, see {@link
 * org.iommu4j.amdvi.layout.IvrsFields#DTE_SETTING}.
 */
public sealed interface DeviceEntry {
  /** The entry's number in the table. */
  int type();

  /** Its bytes. */
  default int bytes() {
    return IvrsLayout.entryLength(type());
  }

  /**
   * Nothing, to align what follows.
   *
   * @param bytes 4 or 8
   */
  record Padding(@Override int bytes) implements DeviceEntry {
    /** Checks the size. */
    public Padding {
      if (bytes != 4 && bytes != 8) {
        throw new IllegalArgumentException("padding of " + bytes + " bytes; there are 4 and 8");
      }
    }

    @Override
    public int type() {
      return bytes == 4 ? IvrsLayout.PAD_4 : IvrsLayout.PAD_8;
    }
  }

  /** All devices of the segment. */
  record All(int setting) implements DeviceEntry {
    /** Checks that everything fits. */
    public All {
      Range.check("setting", setting, 8);
    }

    @Override
    public int type() {
      return IvrsLayout.ALL;
    }
  }

  /** One device. */
  record Select(int deviceId, int setting) implements DeviceEntry {
    /** Checks that everything fits. */
    public Select {
      check(deviceId, setting);
    }

    @Override
    public int type() {
      return IvrsLayout.SELECT;
    }
  }

  /** The first device of several; a {@link RangeEnd} has the last one. */
  record RangeStart(int deviceId, int setting) implements DeviceEntry {
    /** Checks that everything fits. */
    public RangeStart {
      check(deviceId, setting);
    }

    @Override
    public int type() {
      return IvrsLayout.RANGE_START;
    }
  }

  /** The last device of a range of any kind. */
  record RangeEnd(int deviceId) implements DeviceEntry {
    /** Checks that everything fits. */
    public RangeEnd {
      check(deviceId, 0);
    }

    @Override
    public int type() {
      return IvrsLayout.RANGE_END;
    }
  }

  /**
   * One device whose requests carry the id of another one.
   *
   * @param alias the id that the unit sees
   */
  record Alias(int deviceId, int setting, int alias) implements DeviceEntry {
    /** Checks that everything fits. */
    public Alias {
      check(deviceId, setting);
      Range.check("alias", alias, 16);
    }

    @Override
    public int type() {
      return IvrsLayout.ALIAS;
    }
  }

  /**
   * The first of several devices whose requests carry the id of another one.
   *
   * @param alias the id that the unit sees
   */
  record AliasRangeStart(int deviceId, int setting, int alias) implements DeviceEntry {
    /** Checks that everything fits. */
    public AliasRangeStart {
      check(deviceId, setting);
      Range.check("alias", alias, 16);
    }

    @Override
    public int type() {
      return IvrsLayout.ALIAS_RANGE;
    }
  }

  /**
   * One device, with more settings.
   *
   * @param extended see {@link org.iommu4j.amdvi.layout.IvrsFields#EXTENDED_DTE_SETTING}
   */
  record Extended(int deviceId, int setting, long extended) implements DeviceEntry {
    /** Checks that everything fits. */
    public Extended {
      check(deviceId, setting);
      Range.check("extended setting", extended, 32);
    }

    @Override
    public int type() {
      return IvrsLayout.EXTENDED;
    }
  }

  /**
   * The first device of several, with more settings.
   *
   * @param extended see {@link org.iommu4j.amdvi.layout.IvrsFields#EXTENDED_DTE_SETTING}
   */
  record ExtendedRangeStart(int deviceId, int setting, long extended) implements DeviceEntry {
    /** Checks that everything fits. */
    public ExtendedRangeStart {
      check(deviceId, setting);
      Range.check("extended setting", extended, 32);
    }

    @Override
    public int type() {
      return IvrsLayout.EXTENDED_RANGE;
    }
  }

  /**
   * An I/O APIC or an HPET.
   *
   * @param handle the I/O APIC's id or the HPET's number
   * @param sourceId what its interrupts carry as DeviceID
   * @param variety {@link #IOAPIC}, {@link #HPET} or what came later
   */
  record Special(int setting, int handle, int sourceId, int variety) implements DeviceEntry {
    /** An I/O APIC. */
    public static final int IOAPIC = 1;

    /** An HPET. */
    public static final int HPET = 2;

    /** Checks that everything fits. */
    public Special {
      check(sourceId, setting);
      Range.check("handle", handle, 8);
      Range.check("variety", variety, 8);
    }

    @Override
    public int type() {
      return IvrsLayout.SPECIAL;
    }

    /** What the variety is called, with the handle. */
    public String description() {
      return switch (variety) {
            case IOAPIC -> "I/O APIC ";
            case HPET -> "HPET ";
            default -> "special device of variety " + variety + ", ";
          }
          + handle;
    }
  }

  /**
   * A device that ACPI names and PCI does not; only in blocks of type 40h.
   *
   * @param hid its hardware id, at most 8 characters
   * @param cid its compatible id, at most 8 characters
   * @param uidFormat {@link #UID_NONE}, {@link #UID_INTEGER}, {@link #UID_STRING}
   * @param uid its unique id, at most 255 bytes
   */
  record AcpiDevice(int deviceId, int setting, String hid, String cid, int uidFormat, byte[] uid)
      implements DeviceEntry {
    /** No unique id. */
    public static final int UID_NONE = 0;

    /** A number of 8 bytes. */
    public static final int UID_INTEGER = 1;

    /** Characters. */
    public static final int UID_STRING = 2;

    /** Copies the bytes, and checks that everything fits. */
    public AcpiDevice {
      uid = uid.clone();
      check(deviceId, setting);
      checkId(hid);
      checkId(cid);
      Range.check("format of the unique id", uidFormat, 8);
      Range.check("length of the unique id", uid.length, 8);
    }

    /** A device whose unique id is text. */
    public static AcpiDevice of(int deviceId, String hid, String uid) {
      byte[] text = uid.getBytes(StandardCharsets.ISO_8859_1);
      return new AcpiDevice(deviceId, 0, hid, "", text.length == 0 ? UID_NONE : UID_STRING, text);
    }

    private static void checkId(String id) {
      if (id.length() > IvrsLayout.ID_BYTES
          || id.endsWith("\0")
          || id.chars().anyMatch(c -> c > 0xff)) {
        throw new IllegalArgumentException("'" + id + "' is no ACPI id of at most 8 characters");
      }
    }

    @Override
    public int type() {
      return IvrsLayout.ACPI_DEVICE;
    }

    @Override
    public int bytes() {
      return IvrsLayout.UID + uid.length;
    }

    @Override
    public byte[] uid() {
      return uid.clone();
    }

    /** The unique id as ACPI shows it; empty if there is none. */
    public String uidText() {
      return switch (uidFormat) {
        case UID_INTEGER ->
            Long.toUnsignedString(
                ByteBuffer.wrap(Arrays.copyOf(uid, 8)).order(ByteOrder.LITTLE_ENDIAN).getLong());
        case UID_STRING -> new String(uid, StandardCharsets.ISO_8859_1).replaceAll("\0+$", "");
        default -> "";
      };
    }

    @Override
    public boolean equals(Object o) {
      return o instanceof AcpiDevice d
          && deviceId == d.deviceId
          && setting == d.setting
          && hid.equals(d.hid)
          && cid.equals(d.cid)
          && uidFormat == d.uidFormat
          && Arrays.equals(uid, d.uid);
    }

    @Override
    public int hashCode() {
      return Objects.hash(deviceId, setting, hid, cid, uidFormat, Arrays.hashCode(uid));
    }
  }

  /**
   * An entry of a type that came later.
   *
   * @param type as in the table
   * @param body what follows the type: 3, 7, 15 or 31 bytes, as the type says
   */
  record Other(int type, byte[] body) implements DeviceEntry {
    /** Copies the bytes; types that have their own record are not for this one. */
    public Other {
      body = body.clone();
      Range.check("type", type, 8);
      if (isKnown(type) || body.length + 1 != IvrsLayout.entryLength(type)) {
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
      return o instanceof Other other && type == other.type && Arrays.equals(body, other.body);
    }

    @Override
    public int hashCode() {
      return Objects.hash(type, Arrays.hashCode(body));
    }

    /** Whether the type has its own record. */
    static boolean isKnown(int type) {
      return switch (type) {
        case IvrsLayout.PAD_4,
            IvrsLayout.ALL,
            IvrsLayout.SELECT,
            IvrsLayout.RANGE_START,
            IvrsLayout.RANGE_END,
            IvrsLayout.PAD_8,
            IvrsLayout.ALIAS,
            IvrsLayout.ALIAS_RANGE,
            IvrsLayout.EXTENDED,
            IvrsLayout.EXTENDED_RANGE,
            IvrsLayout.SPECIAL,
            IvrsLayout.ACPI_DEVICE ->
            true;
        default -> false;
      };
    }
  }

  private static void check(int deviceId, int setting) {
    Range.check("DeviceID", deviceId, 16);
    Range.check("setting", setting, 8);
  }
}
