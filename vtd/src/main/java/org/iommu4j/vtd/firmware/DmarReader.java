package org.iommu4j.vtd.firmware;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.FormatException;
import org.iommu4j.core.acpi.AcpiHeader;
import org.iommu4j.core.acpi.TableReader;

/** Reads a DMAR, and believes nothing that it says about itself without looking. */
final class DmarReader {
  /** Ends every error about content: damage in transport is what the checksum is for. */
  private static final String FIRMWARE =
      "; the firmware made it so: look for an update of it, or correct the table and hand it to the"
          + " kernel in an initrd";

  private final TableReader table;

  private DmarReader(TableReader table) {
    this.table = table;
  }

  static Dmar table(byte[] bytes) throws FormatException {
    return new DmarReader(new TableReader(bytes, Dmar.SIGNATURE)).table();
  }

  static List<DmarStructure> buffer(byte[] bytes) throws FormatException {
    return new DmarReader(TableReader.ofBuffer(bytes, "DMAR _DSM buffer")).structures(0);
  }

  private Dmar table() throws FormatException {
    AcpiHeader header = AcpiHeader.read(table);
    if (header.revision() < Dmar.REVISION) {
      throw fail(8, "revision 0, expected is 1 or later");
    }
    if (table.length() < DmarLayout.TABLE) {
      throw fail(
          4,
          "the table has %d bytes, expected are at least %d"
              .formatted(table.length(), DmarLayout.TABLE));
    }
    int width = table.u8(DmarLayout.HOST_ADDRESS_WIDTH) + 1;
    if (width < Dmar.NARROWEST) {
      throw fail(
          DmarLayout.HOST_ADDRESS_WIDTH,
          "a host address width of %d bits, expected are at least %d (the byte is 1 less)"
              .formatted(width, Dmar.NARROWEST));
    }
    return new Dmar(header, width, table.u8(DmarLayout.TABLE_FLAGS), structures(DmarLayout.TABLE));
  }

  private List<DmarStructure> structures(int start) throws FormatException {
    List<DmarStructure> all = new ArrayList<>();
    int at = start;
    while (at < table.length()) {
      int left = table.length() - at;
      if (left < DmarLayout.HEADER) {
        throw fail(
            at,
            "%d bytes are left, a structure has at least %d".formatted(left, DmarLayout.HEADER));
      }
      int length = table.u16(at + DmarLayout.LENGTH);
      if (length < DmarLayout.HEADER) {
        throw fail(
            at + DmarLayout.LENGTH,
            "a structure of %d bytes, expected are at least %d"
                .formatted(length, DmarLayout.HEADER));
      }
      if (length > left) {
        throw fail(
            at + DmarLayout.LENGTH,
            "a structure of %d bytes, expected are at most the %d that are left"
                .formatted(length, left));
      }
      all.add(structure(at, length));
      at += length;
    }
    return all;
  }

  private DmarStructure structure(int at, int length) throws FormatException {
    int type = table.u16(at + DmarLayout.TYPE);
    return switch (type) {
      case DmarLayout.TYPE_DRHD -> drhd(at, length);
      case DmarLayout.TYPE_RMRR -> {
        needs(at, length, DmarLayout.RMRR, "an RMRR");
        yield new DmarStructure.Rmrr(
            table.u16(at + DmarLayout.SEGMENT),
            table.u64(at + DmarLayout.RMRR_BASE),
            table.u64(at + DmarLayout.RMRR_LIMIT),
            scopes(at, DmarLayout.RMRR, length));
      }
      case DmarLayout.TYPE_ATSR -> {
        needs(at, length, DmarLayout.SCOPED, "an ATSR");
        yield new DmarStructure.Atsr(
            table.u8(at + DmarLayout.FLAGS),
            table.u16(at + DmarLayout.SEGMENT),
            scopes(at, DmarLayout.SCOPED, length));
      }
      case DmarLayout.TYPE_RHSA -> rhsa(at, length);
      case DmarLayout.TYPE_ANDD -> andd(at, length);
      case DmarLayout.TYPE_SATC -> {
        needs(at, length, DmarLayout.SCOPED, "a SATC");
        yield new DmarStructure.Satc(
            table.u8(at + DmarLayout.FLAGS),
            table.u16(at + DmarLayout.SEGMENT),
            scopes(at, DmarLayout.SCOPED, length));
      }
      case DmarLayout.TYPE_SIDP -> {
        needs(at, length, DmarLayout.SCOPED, "a SIDP");
        yield new DmarStructure.Sidp(
            table.u16(at + DmarLayout.SEGMENT), scopes(at, DmarLayout.SCOPED, length));
      }
      default ->
          new DmarStructure.Other(
              type, table.bytes(at + DmarLayout.HEADER, length - DmarLayout.HEADER));
    };
  }

  private DmarStructure drhd(int at, int length) throws FormatException {
    needs(at, length, DmarLayout.DRHD, "a DRHD");
    long base = table.u64(at + DmarLayout.DRHD_BASE);
    if (base == 0) {
      throw fail(
          at + DmarLayout.DRHD_BASE, "a unit's registers at 0, expected is their physical address");
    }
    return new DmarStructure.Drhd(
        table.u8(at + DmarLayout.FLAGS),
        table.u8(at + DmarLayout.SIZE),
        table.u16(at + DmarLayout.SEGMENT),
        base,
        scopes(at, DmarLayout.DRHD, length));
  }

  private DmarStructure rhsa(int at, int length) throws FormatException {
    // Choice: a longer one would have content that nobody defined, so it is not guessed at.
    if (length != DmarLayout.RHSA) {
      throw fail(
          at + DmarLayout.LENGTH,
          "an RHSA of %d bytes, expected are %d".formatted(length, DmarLayout.RHSA));
    }
    return new DmarStructure.Rhsa(
        table.u64(at + DmarLayout.RHSA_BASE), table.u32(at + DmarLayout.PROXIMITY_DOMAIN));
  }

  private DmarStructure andd(int at, int length) throws FormatException {
    needs(at, length, DmarLayout.ANDD + 1, "an ANDD");
    int room = length - DmarLayout.ANDD;
    String text = table.text(at + DmarLayout.ANDD, room);
    int zero = text.indexOf('\0');
    if (zero < 0) {
      throw fail(
          at + DmarLayout.ANDD,
          "a path without an end, expected is a zero byte within its %d bytes".formatted(room));
    }
    return new DmarStructure.Andd(
        table.u8(at + DmarLayout.DEVICE_NUMBER), text.substring(0, zero), room);
  }

  private List<DeviceScope> scopes(int structure, int from, int length) throws FormatException {
    List<DeviceScope> scopes = new ArrayList<>();
    int at = structure + from;
    int end = structure + length;
    while (at < end) {
      int left = end - at;
      int size = left < 2 ? left : table.u8(at + DmarLayout.SCOPE_LENGTH);
      int least = DmarLayout.SCOPE + DmarLayout.HOP;
      if (size < least || size > left || size % DmarLayout.HOP != 0) {
        throw fail(
            left < 2 ? at : at + DmarLayout.SCOPE_LENGTH,
            "a device scope of %d bytes, expected is an even number from %d to the %d that are left"
                    .formatted(size, least, left)
                + " in its structure");
      }
      scopes.add(scope(at, size));
      at += size;
    }
    return scopes;
  }

  private DeviceScope scope(int at, int size) throws FormatException {
    List<DeviceScope.Hop> path = new ArrayList<>();
    for (int hop = at + DmarLayout.SCOPE; hop < at + size; hop += DmarLayout.HOP) {
      path.add(new DeviceScope.Hop(table.u8(hop), table.u8(hop + 1)));
    }
    return new DeviceScope(
        table.u8(at + DmarLayout.SCOPE_TYPE),
        table.u8(at + DmarLayout.SCOPE_FLAGS),
        table.u8(at + DmarLayout.ENUMERATION_ID),
        table.u8(at + DmarLayout.START_BUS),
        path);
  }

  private void needs(int at, int length, int least, String what) throws FormatException {
    if (length < least) {
      throw fail(
          at + DmarLayout.LENGTH,
          "%s of %d bytes, expected are at least %d".formatted(what, length, least));
    }
  }

  private FormatException fail(long offset, String reason) {
    return table.fail(offset, reason + FIRMWARE);
  }
}
