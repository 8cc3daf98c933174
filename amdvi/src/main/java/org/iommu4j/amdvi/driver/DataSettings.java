package org.iommu4j.amdvi.driver;

import java.util.Map;
import java.util.TreeMap;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Field;

/**
 * The data setting of an IVHD device entry: firmware says which messages of a device pass, and the
 * driver copies that to the device's table entry. 48882, "IVHD Device Entry Data Setting".
 */
final class DataSettings {
  private static final Field INIT_PASS = Field.bit("INITPass", 0);
  private static final Field EINT_PASS = Field.bit("EIntPass", 1);
  private static final Field NMI_PASS = Field.bit("NMIPass", 2);
  private static final Field SYS_MGT = Field.bits("SysMgt", 5, 4);
  private static final Field LINT0_PASS = Field.bit("Lint0Pass", 6);
  private static final Field LINT1_PASS = Field.bit("Lint1Pass", 7);

  private DataSettings() {}

  /** Reads a setting: {@code 0xa0@0xd7, ...}, numbers decimal or hexadecimal. */
  static Map<Integer, Integer> of(Options o, String name) {
    Map<Integer, Integer> all = new TreeMap<>();
    for (String part : o.text(name, "").split(",")) {
      if (part.isBlank()) {
        continue;
      }
      String[] halves = part.split("@", -1);
      if (halves.length != 2) {
        throw Settings.invalid(name, "'" + part.strip() + "' is not source@setting");
      }
      int source = number(name, part, halves[0], 0xffff);
      if (all.put(source, number(name, part, halves[1], 0xff)) != null) {
        throw Settings.invalid(name, "source 0x%x is there twice".formatted(source));
      }
    }
    return all;
  }

  private static int number(String name, String part, String text, int most) {
    try {
      long value = Options.parse(text.strip());
      if (Long.compareUnsigned(value, most) <= 0) {
        return (int) value;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw Settings.invalid(
        name, "'%s': '%s' is not a number of 0..0x%x".formatted(part.strip(), text.strip(), most));
  }

  /** What it sets in the second doubleword of the table entry. */
  static long second(int setting) {
    return DeviceTableEntry.SYS_MGT.of(SYS_MGT.get(setting));
  }

  /** What it sets in the third. */
  static long third(int setting) {
    return DeviceTableEntry.INIT_PASS.of(INIT_PASS.get(setting))
        | DeviceTableEntry.EINT_PASS.of(EINT_PASS.get(setting))
        | DeviceTableEntry.NMI_PASS.of(NMI_PASS.get(setting))
        | DeviceTableEntry.LINT0_PASS.of(LINT0_PASS.get(setting))
        | DeviceTableEntry.LINT1_PASS.of(LINT1_PASS.get(setting));
  }
}
