package org.iommu4j.vtd.firmware;

import org.iommu4j.core.acpi.AcpiHeader;

/** Offsets and sizes in bytes: of the table from its start, of a structure from its own. */
final class DmarLayout {
  // Table
  static final int HOST_ADDRESS_WIDTH = AcpiHeader.BYTES;
  static final int TABLE_FLAGS = 37;
  static final int TABLE_RESERVED = 38;
  static final int TABLE = 48;

  // Every structure
  static final int TYPE = 0;
  static final int LENGTH = 2;
  static final int HEADER = 4;

  static final int TYPE_DRHD = 0;
  static final int TYPE_RMRR = 1;
  static final int TYPE_ATSR = 2;
  static final int TYPE_RHSA = 3;
  static final int TYPE_ANDD = 4;
  static final int TYPE_SATC = 5;
  static final int TYPE_SIDP = 6;

  // All with device scopes but RHSA and ANDD
  static final int FLAGS = 4;
  static final int SEGMENT = 6;

  // DRHD
  static final int SIZE = 5;
  static final int DRHD_BASE = 8;
  static final int DRHD = 16;

  // RMRR
  static final int RMRR_BASE = 8;
  static final int RMRR_LIMIT = 16;
  static final int RMRR = 24;

  // ATSR, SATC, SIDP
  static final int SCOPED = 8;

  // RHSA
  static final int RHSA_BASE = 8;
  static final int PROXIMITY_DOMAIN = 16;
  static final int RHSA = 20;

  // ANDD
  static final int DEVICE_NUMBER = 7;
  static final int ANDD = 8;

  // Device scope
  static final int SCOPE_TYPE = 0;
  static final int SCOPE_LENGTH = 1;
  static final int SCOPE_FLAGS = 2;
  static final int ENUMERATION_ID = 4;
  static final int START_BUS = 5;
  static final int SCOPE = 6;
  static final int HOP = 2;

  private DmarLayout() {}
}
