package org.iommu4j.amdvi.firmware;

import org.iommu4j.core.acpi.AcpiHeader;

/** Offsets and sizes in bytes: of the table from its start, of a block or entry from its own. */
final class IvrsLayout {
  // Table
  static final int IV_INFO = AcpiHeader.BYTES;
  static final int TABLE_RESERVED = 40;
  static final int TABLE = 48;

  // Every block
  static final int TYPE = 0;
  static final int FLAGS = 1;
  static final int LENGTH = 2;
  static final int BLOCK = 4;
  static final int DEVICE_ID = 4;

  // IVHD
  static final int TYPE_IVHD_10 = 0x10;
  static final int TYPE_IVHD_11 = 0x11;
  static final int TYPE_IVHD_40 = 0x40;
  static final int CAPABILITY = 6;
  static final int BASE = 8;
  static final int SEGMENT = 16;
  static final int INFO = 18;
  static final int ATTRIBUTES = 20;
  static final int EFR = 24;
  static final int EFR_2 = 32;
  static final int IVHD_10 = 24;
  static final int IVHD_11 = 40;

  // IVMD
  static final int TYPE_IVMD_ALL = 0x20;
  static final int TYPE_IVMD_ONE = 0x21;
  static final int TYPE_IVMD_RANGE = 0x22;
  static final int AUX = 6;
  static final int IVMD_SEGMENT = 8;
  static final int IVMD_RESERVED = 10;
  static final int START = 16;
  static final int MEMORY_LENGTH = 24;
  static final int IVMD = 32;

  // Device entries
  static final int PAD_4 = 0x00;
  static final int ALL = 0x01;
  static final int SELECT = 0x02;
  static final int RANGE_START = 0x03;
  static final int RANGE_END = 0x04;
  static final int PAD_8 = 0x40;
  static final int ALIAS = 0x42;
  static final int ALIAS_RANGE = 0x43;
  static final int EXTENDED = 0x46;
  static final int EXTENDED_RANGE = 0x47;
  static final int SPECIAL = 0x48;
  static final int ACPI_DEVICE = 0xf0;
  static final int ENTRY_DEVICE_ID = 1;
  static final int ENTRY_SETTING = 3;
  static final int HANDLE = 4;
  static final int EXTENDED_SETTING = 4;
  static final int SOURCE_ID = 5;
  static final int VARIETY = 7;
  static final int HID = 4;
  static final int CID = 12;
  static final int ID_BYTES = 8;
  static final int UID_FORMAT = 20;
  static final int UID_LENGTH = 21;
  static final int UID = 22;

  private IvrsLayout() {}

  /** Whether a block of the type is a unit's. */
  static boolean isUnit(int type) {
    return type == TYPE_IVHD_10 || type == TYPE_IVHD_11 || type == TYPE_IVHD_40;
  }

  /** Whether a block of the type is about memory. */
  static boolean isMemory(int type) {
    return type >= TYPE_IVMD_ALL && type <= TYPE_IVMD_RANGE;
  }

  /** Bytes before the device entries of a unit's block. */
  static int unitHeader(int type) {
    return type == TYPE_IVHD_10 ? IVHD_10 : IVHD_11;
  }

  /**
   * Bytes of a device entry; 0 if its type does not tell. Choice: the rule that holds for the types
   * below 80h, a power of two by the two highest bits, is taken to hold up to EFh; Linux knows no
   * length there.
   */
  static int entryLength(int type) {
    return type < ACPI_DEVICE ? 4 << (type >> 6) : 0;
  }
}
