package org.iommu4j.amdvi.firmware;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.FormatException;
import org.iommu4j.core.acpi.AcpiHeader;
import org.iommu4j.core.acpi.TableReader;

/** Reads an IVRS, and believes nothing that it says about itself without looking. */
final class IvrsReader {
  /** Ends every error about content: damage in transport is what the checksum is for. */
  private static final String FIRMWARE =
      "; the firmware made it so: look for an update of it, or correct the table and hand it to the"
          + " kernel in an initrd";

  private final TableReader table;

  private IvrsReader(TableReader table) {
    this.table = table;
  }

  static Ivrs table(byte[] bytes) throws FormatException {
    return new IvrsReader(new TableReader(bytes, Ivrs.SIGNATURE)).table();
  }

  private Ivrs table() throws FormatException {
    AcpiHeader header = AcpiHeader.read(table);
    if (table.length() < IvrsLayout.TABLE) {
      throw fail(
          4,
          "the table has %d bytes, expected are at least %d"
              .formatted(table.length(), IvrsLayout.TABLE));
    }
    return new Ivrs(header, table.u32(IvrsLayout.IV_INFO), blocks());
  }

  private List<IvrsBlock> blocks() throws FormatException {
    List<IvrsBlock> all = new ArrayList<>();
    int at = IvrsLayout.TABLE;
    while (at < table.length()) {
      int left = table.length() - at;
      if (left < IvrsLayout.BLOCK) {
        throw fail(
            at, "%d bytes are left, a block has at least %d".formatted(left, IvrsLayout.BLOCK));
      }
      int length = table.u16(at + IvrsLayout.LENGTH);
      needs(at, length, IvrsLayout.BLOCK, "a block");
      if (length > left) {
        throw fail(
            at + IvrsLayout.LENGTH,
            "a block of %d bytes, expected are at most the %d that are left"
                .formatted(length, left));
      }
      all.add(block(at, length));
      at += length;
    }
    return all;
  }

  private IvrsBlock block(int at, int length) throws FormatException {
    int type = table.u8(at + IvrsLayout.TYPE);
    if (IvrsLayout.isUnit(type)) {
      return unit(type, at, length);
    }
    if (IvrsLayout.isMemory(type)) {
      return memory(type, at, length);
    }
    return new IvrsBlock.Other(
        type,
        table.u8(at + IvrsLayout.FLAGS),
        table.bytes(at + IvrsLayout.BLOCK, length - IvrsLayout.BLOCK));
  }

  private IvrsBlock.Ivhd unit(int type, int at, int length) throws FormatException {
    int header = IvrsLayout.unitHeader(type);
    needs(at, length, header, "an IVHD of type %02xh".formatted(type));
    boolean images = header > IvrsLayout.EFR;
    return new IvrsBlock.Ivhd(
        type,
        table.u8(at + IvrsLayout.FLAGS),
        table.u16(at + IvrsLayout.DEVICE_ID),
        table.u16(at + IvrsLayout.CAPABILITY),
        table.u64(at + IvrsLayout.BASE),
        table.u16(at + IvrsLayout.SEGMENT),
        table.u16(at + IvrsLayout.INFO),
        table.u32(at + IvrsLayout.ATTRIBUTES),
        images ? table.u64(at + IvrsLayout.EFR) : 0,
        images ? table.u64(at + IvrsLayout.EFR_2) : 0,
        entries(at + header, at + length));
  }

  private IvrsBlock.Ivmd memory(int type, int at, int length) throws FormatException {
    // Choice: a longer one would have content that nobody defined, so it is not guessed at.
    if (length != IvrsLayout.IVMD) {
      throw fail(
          at + IvrsLayout.LENGTH,
          "an IVMD of %d bytes, expected are %d".formatted(length, IvrsLayout.IVMD));
    }
    return new IvrsBlock.Ivmd(
        type,
        table.u8(at + IvrsLayout.FLAGS),
        table.u16(at + IvrsLayout.DEVICE_ID),
        table.u16(at + IvrsLayout.AUX),
        table.u16(at + IvrsLayout.IVMD_SEGMENT),
        table.u64(at + IvrsLayout.START),
        table.u64(at + IvrsLayout.MEMORY_LENGTH));
  }

  private List<DeviceEntry> entries(int from, int end) throws FormatException {
    List<DeviceEntry> all = new ArrayList<>();
    int at = from;
    while (at < end) {
      int type = table.u8(at);
      int left = end - at;
      int size = size(type, at, left);
      if (size > left) {
        throw fail(
            type == IvrsLayout.ACPI_DEVICE && left >= IvrsLayout.UID
                ? at + IvrsLayout.UID_LENGTH
                : at,
            "a device entry of type %02xh and %d bytes, expected are at most the %d that are left"
                    .formatted(type, size, left)
                + " in its block");
      }
      all.add(entry(type, at, size));
      at += size;
    }
    return all;
  }

  private int size(int type, int at, int left) throws FormatException {
    if (type > IvrsLayout.ACPI_DEVICE) {
      throw fail(
          at,
          "a device entry of type %02xh, whose length no specification tells, expected are types"
                  .formatted(type)
              + " up to f0h");
    }
    if (type < IvrsLayout.ACPI_DEVICE) {
      return IvrsLayout.entryLength(type);
    }
    return left < IvrsLayout.UID
        ? IvrsLayout.UID
        : IvrsLayout.UID + table.u8(at + IvrsLayout.UID_LENGTH);
  }

  private DeviceEntry entry(int type, int at, int size) throws FormatException {
    int device = table.u16(at + IvrsLayout.ENTRY_DEVICE_ID);
    int setting = table.u8(at + IvrsLayout.ENTRY_SETTING);
    return switch (type) {
      case IvrsLayout.PAD_4, IvrsLayout.PAD_8 -> new DeviceEntry.Padding(size);
      case IvrsLayout.ALL -> new DeviceEntry.All(setting);
      case IvrsLayout.SELECT -> new DeviceEntry.Select(device, setting);
      case IvrsLayout.RANGE_START -> new DeviceEntry.RangeStart(device, setting);
      case IvrsLayout.RANGE_END -> new DeviceEntry.RangeEnd(device);
      case IvrsLayout.ALIAS ->
          new DeviceEntry.Alias(device, setting, table.u16(at + IvrsLayout.SOURCE_ID));
      case IvrsLayout.ALIAS_RANGE ->
          new DeviceEntry.AliasRangeStart(device, setting, table.u16(at + IvrsLayout.SOURCE_ID));
      case IvrsLayout.EXTENDED ->
          new DeviceEntry.Extended(device, setting, table.u32(at + IvrsLayout.EXTENDED_SETTING));
      case IvrsLayout.EXTENDED_RANGE ->
          new DeviceEntry.ExtendedRangeStart(
              device, setting, table.u32(at + IvrsLayout.EXTENDED_SETTING));
      case IvrsLayout.SPECIAL ->
          new DeviceEntry.Special(
              setting,
              table.u8(at + IvrsLayout.HANDLE),
              table.u16(at + IvrsLayout.SOURCE_ID),
              table.u8(at + IvrsLayout.VARIETY));
      case IvrsLayout.ACPI_DEVICE ->
          new DeviceEntry.AcpiDevice(
              device,
              setting,
              id(at + IvrsLayout.HID),
              id(at + IvrsLayout.CID),
              table.u8(at + IvrsLayout.UID_FORMAT),
              table.bytes(at + IvrsLayout.UID, size - IvrsLayout.UID));
      default -> new DeviceEntry.Other(type, table.bytes(at + 1, size - 1));
    };
  }

  /** Eight characters, without the zeroes that fill them up. */
  private String id(int at) throws FormatException {
    return table.text(at, IvrsLayout.ID_BYTES).replaceAll("\0+$", "");
  }

  private void needs(int at, int length, int least, String what) throws FormatException {
    if (length < least) {
      throw fail(
          at + IvrsLayout.LENGTH,
          "%s of %d bytes, expected are at least %d".formatted(what, length, least));
    }
  }

  private FormatException fail(long offset, String reason) {
    return table.fail(offset, reason + FIRMWARE);
  }
}
