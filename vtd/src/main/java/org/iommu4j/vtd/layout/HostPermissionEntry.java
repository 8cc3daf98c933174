package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/**
 * Entry of the host permission table, 16 bytes: permission groups of four bits in the first word,
 * and where the next table is in the second. §9.
 */
public final class HostPermissionEntry {
  /** Bytes of an entry. */
  public static final int BYTES = 16;

  /** Bits of a permission group; bit 0 is R, bit 1 is W, the others are reserved. */
  public static final int GROUP_BITS = 4;

  public static final Field PERMISSIONS = bits("PP", 63, 0);

  /** The address is valid: where no group grants anything, the next table decides. */
  public static final Field AV = bit("AV", 0);

  public static final Field ADDR = bits("ADDR", 63, 12);

  public static final Layout LAYOUT =
      Layout.of("host permission table entry", "VT-d §9", PERMISSIONS)
          .then(AV, reserved(11, 1), ADDR);

  private HostPermissionEntry() {}
}
