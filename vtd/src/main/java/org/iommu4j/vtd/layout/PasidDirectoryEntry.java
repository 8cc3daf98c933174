package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** Entry of the PASID directory, 8 bytes, one for 64 PASIDs. §9.5. */
public final class PasidDirectoryEntry {
  /** Bytes of an entry. */
  public static final int BYTES = 8;

  public static final Field P = bit("P", 0);

  /** Fault processing disable. */
  public static final Field FPD = bit("FPD", 1);

  public static final Field SMPTBLPTR = bits("SMPTBLPTR", 63, 12);

  public static final Layout LAYOUT =
      Layout.of("PASID directory entry", "VT-d §9.5", P, FPD, reserved(11, 2), SMPTBLPTR);

  private PasidDirectoryEntry() {}
}
