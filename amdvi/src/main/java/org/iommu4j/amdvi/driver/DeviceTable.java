package org.iommu4j.amdvi.driver;

import java.util.Map;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.support.Unit;

/**
 * The device table. 48882, "Device Table". Every entry is there from the start, and blocks: no
 * device is forgotten that nobody has heard of yet.
 */
final class DeviceTable {
  private static final int DEVICES = 1 << 16;
  private static final long BYTES = (long) DEVICES * DeviceTableEntry.BYTES;

  /** Valid, nothing translated: every access is refused. */
  static final long BLOCKED = DeviceTableEntry.V.mask();

  private final Unit unit;
  private final Map<Integer, Integer> settings;

  /** Levels of guest tables in entries that say nothing else. */
  private final int guestLevels;

  private long table;

  DeviceTable(Unit unit, Plan plan) {
    this.unit = unit;
    this.settings = plan.settings().deviceSettings();
    this.guestLevels = plan.guest() == null ? GuestFormat.LEAST : plan.guest().levels();
  }

  private static long pagingMode(int levels) {
    return DeviceTableEntry.GUEST_PAGING_MODE.of(levels - GuestFormat.LEAST);
  }

  /**
   * Makes the table.
   *
   * @param interrupts the interrupt fields of devices without messages
   */
  void start(long interrupts) {
    table = unit.frames.allocate(BYTES);
    for (int source = 0; source < DEVICES; source++) {
      long at = at(source);
      unit.store(at, BLOCKED);
      unit.store(at + 8, DataSettings.second(setting(source)));
      unit.store(
          at + 16, pagingMode(guestLevels) | DataSettings.third(setting(source)) | interrupts);
    }
    long base = Registers.DEV_TAB_BASE.in(table) | Registers.SIZE.of((BYTES >>> 12) - 1);
    unit.write(Registers.DEVICE_TABLE, base);
    long stuck = unit.read(Registers.DEVICE_TABLE);
    if (stuck != base) {
      throw new DriverException(
          "the Device Table Base reads 0x%x after 0x%x was written: there is no unit, or it is locked"
              .formatted(stuck, base));
    }
  }

  private int setting(int source) {
    return settings.getOrDefault(source, 0);
  }

  private long at(int source) {
    return table + (long) source * DeviceTableEntry.BYTES;
  }

  /**
   * Blocks a device's memory requests: also those with addresses that were translated before, which
   * pass where I is 1 whatever the first word says.
   */
  void block(int source) {
    unit.store(at(source), BLOCKED);
    unit.store(at(source) + 8, DataSettings.second(setting(source)));
  }

  /** What a blocked device may do from now on, with guest tables as deep as the driver's own. */
  void allow(int source, long first, long second) {
    allow(source, first, second, guestLevels);
  }

  /** What a blocked device may do from now on. */
  synchronized void allow(int source, long first, long second, int levels) {
    long third = at(source) + 16;
    long was = unit.memory.readLong(third);
    long now = was & ~DeviceTableEntry.GUEST_PAGING_MODE.mask() | pagingMode(levels);
    if (now != was) {
      unit.store(third, now);
    }
    unit.store(at(source) + 8, second | DataSettings.second(setting(source)));
    unit.link(at(source), first);
  }

  /** The interrupt fields of a device. They share a word with the depth of its guest tables. */
  synchronized void interrupts(int source, long word) {
    long third = at(source) + 16;
    long levels = unit.memory.readLong(third) & DeviceTableEntry.GUEST_PAGING_MODE.mask();
    unit.link(third, levels | DataSettings.third(setting(source)) | word);
  }

  /** Whether a device is blocked. */
  boolean blocks(int source) {
    return unit.memory.readLong(at(source)) == BLOCKED;
  }
}
