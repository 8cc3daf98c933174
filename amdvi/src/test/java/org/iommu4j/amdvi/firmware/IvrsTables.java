package org.iommu4j.amdvi.firmware;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.iommu4j.amdvi.firmware.IvrsBlock.Ivhd;
import org.iommu4j.amdvi.firmware.IvrsBlock.Ivmd;
import org.iommu4j.core.acpi.AcpiHeader;

/** Tables for tests: one of everything, and random ones. */
final class IvrsTables {
  private IvrsTables() {}

  /** One block and one entry of every type; every offset and length of it is in the tests. */
  static Ivrs all() {
    return Ivrs.of(
        0x0030_3001L | 1,
        List.of(
            unit(0x10, List.of(new DeviceEntry.All(0))),
            unit(
                0x11,
                List.of(
                    new DeviceEntry.Special(0xd7, 4, 0x00a0, DeviceEntry.Special.IOAPIC),
                    new DeviceEntry.Special(0, 0, 0x00a0, DeviceEntry.Special.HPET))),
            unit(0x40, entries()),
            new Ivmd(Ivmd.ALL, 0x08, 0, 0, 0, 0x9f00_0000L, 0x1000),
            new Ivmd(Ivmd.ONE, 0x07, 0x0010, 0, 0, 0x9f00_1000L, 0x2000),
            new Ivmd(Ivmd.RANGE, 0x03, 0x0100, 0x01ff, 1, 0x1_0000_0000L, 0x10_0000L),
            new IvrsBlock.Other(0x60, 0x5a, new byte[] {1, 2, 3})));
  }

  private static List<DeviceEntry> entries() {
    return List.of(
        new DeviceEntry.Padding(4),
        new DeviceEntry.Select(0x0008, 0),
        new DeviceEntry.RangeStart(0x0010, 0x40),
        new DeviceEntry.RangeEnd(0x00ff),
        new DeviceEntry.Padding(8),
        new DeviceEntry.Alias(0x0200, 0x10, 0x0300),
        new DeviceEntry.AliasRangeStart(0x0400, 0, 0x0480),
        new DeviceEntry.RangeEnd(0x04ff),
        new DeviceEntry.Extended(0x0500, 0, 0x8000_0000L),
        new DeviceEntry.ExtendedRangeStart(0x0600, 0, 0x8000_0000L),
        new DeviceEntry.RangeEnd(0x06ff),
        new DeviceEntry.Special(0, 1, 0x00a0, DeviceEntry.Special.IOAPIC),
        DeviceEntry.AcpiDevice.of(0x0098, "AMDI0095", "7"),
        new DeviceEntry.AcpiDevice(
            0x0099, 0, "AMDI01", "PNP0", 1, new byte[] {5, 1, 0, 0, 0, 0, 0, 0}),
        new DeviceEntry.Other(0x4f, new byte[] {1, 2, 3, 4, 5, 6, 7}));
  }

  /** The unit 00:00.2. */
  static Ivhd unit(int type, List<DeviceEntry> entries) {
    return unit(type, 0x0002, 0xfeb8_0000L, entries);
  }

  static Ivhd unit(int type, int deviceId, long base, List<DeviceEntry> entries) {
    long efr = type == 0x10 ? 0 : 0x0042_f77e_f222_54afL;
    return new Ivhd(type, 0xb0, deviceId, 0x40, base, 0, 0x0013, 0, efr, 0, entries);
  }

  static Ivrs random(RandomGenerator r) {
    List<IvrsBlock> blocks = new ArrayList<>();
    for (int i = r.nextInt(8); i > 0; i--) {
      blocks.add(block(r));
    }
    AcpiHeader header =
        new AcpiHeader(
            Ivrs.SIGNATURE,
            r.nextInt(256),
            text(r, 6),
            text(r, 8),
            r.nextInt() & 0xffff_ffffL,
            text(r, 4),
            r.nextInt() & 0xffff_ffffL);
    return new Ivrs(header, r.nextInt() & 0xffff_ffffL, blocks);
  }

  private static IvrsBlock block(RandomGenerator r) {
    int segment = r.nextInt(3) == 0 ? r.nextInt(0x1_0000) : 0;
    return switch (r.nextInt(5)) {
      case 0, 1, 2 -> {
        int type = new int[] {0x10, 0x11, 0x40}[r.nextInt(3)];
        boolean images = type != 0x10;
        yield new Ivhd(
            type,
            r.nextInt(256),
            r.nextInt(3) * 2,
            r.nextInt(0x1_0000),
            r.nextLong(),
            segment,
            r.nextInt(0x1_0000),
            r.nextInt() & 0xffff_ffffL,
            images ? r.nextLong() : 0,
            images ? r.nextLong() : 0,
            entries(r));
      }
      case 3 ->
          new Ivmd(
              r.nextInt(0x20, 0x23),
              r.nextInt(256),
              r.nextInt(0x1_0000),
              r.nextInt(0x1_0000),
              segment,
              r.nextLong(),
              r.nextLong());
      default -> {
        byte[] body = new byte[r.nextInt(40)];
        r.nextBytes(body);
        yield new IvrsBlock.Other(r.nextInt(0x41, 0x100), r.nextInt(256), body);
      }
    };
  }

  private static List<DeviceEntry> entries(RandomGenerator r) {
    List<DeviceEntry> entries = new ArrayList<>();
    for (int i = r.nextInt(12); i > 0; i--) {
      entries.add(entry(r));
    }
    return entries;
  }

  static DeviceEntry entry(RandomGenerator r) {
    int device = r.nextInt(0x1_0000);
    int other = r.nextInt(0x1_0000);
    int setting = r.nextInt(256);
    long extended = r.nextInt() & 0xffff_ffffL;
    return switch (r.nextInt(12)) {
      case 0 -> new DeviceEntry.Padding(r.nextBoolean() ? 4 : 8);
      case 1 -> new DeviceEntry.All(setting);
      case 2 -> new DeviceEntry.Select(device, setting);
      case 3 -> new DeviceEntry.RangeStart(device, setting);
      case 4, 5 -> new DeviceEntry.RangeEnd(device);
      case 6 -> new DeviceEntry.Alias(device, setting, other);
      case 7 -> new DeviceEntry.AliasRangeStart(device, setting, other);
      case 8 -> new DeviceEntry.Extended(device, setting, extended);
      case 9 -> new DeviceEntry.ExtendedRangeStart(device, setting, extended);
      case 10 -> new DeviceEntry.Special(setting, r.nextInt(256), other, r.nextInt(256));
      default -> r.nextBoolean() ? acpi(r, device, setting) : later(r);
    };
  }

  private static DeviceEntry acpi(RandomGenerator r, int device, int setting) {
    byte[] uid = new byte[r.nextInt(10) == 0 ? 255 : r.nextInt(12)];
    r.nextBytes(uid);
    return new DeviceEntry.AcpiDevice(
        device, setting, text(r, r.nextInt(9)), text(r, r.nextInt(9)), r.nextInt(256), uid);
  }

  private static DeviceEntry later(RandomGenerator r) {
    int type = r.nextInt(0xf0);
    while (DeviceEntry.Other.isKnown(type)) {
      type = r.nextInt(0xf0);
    }
    byte[] body = new byte[(4 << (type >> 6)) - 1];
    r.nextBytes(body);
    return new DeviceEntry.Other(type, body);
  }

  private static String text(RandomGenerator r, int size) {
    StringBuilder s = new StringBuilder();
    for (int i = 0; i < size; i++) {
      s.append((char) r.nextInt(' ', 127));
    }
    return s.toString();
  }
}
