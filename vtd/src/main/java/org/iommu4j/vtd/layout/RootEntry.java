package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** Entries of the root table: one of 16 bytes for each bus. §9.1, §9.2. */
public final class RootEntry {
  /** Bytes of an entry. */
  public static final int BYTES = 16;

  // Legacy mode: the lower word only.
  public static final Field P = bit("P", 0);
  public static final Field CTP = bits("CTP", 63, 12);

  // Scalable mode: the lower word for functions 00h..7Fh, the upper word for 80h..FFh.
  public static final Field LP = bit("LP", 0);
  public static final Field LCTP = bits("LCTP", 63, 12);
  public static final Field UP = bit("UP", 0);
  public static final Field UCTP = bits("UCTP", 63, 12);

  public static final Layout LEGACY =
      Layout.of("root entry", "VT-d §9.1", P, reserved(11, 1), CTP).then(reserved(63, 0));

  public static final Layout SCALABLE =
      Layout.of("scalable-mode root entry", "VT-d §9.2", LP, reserved(11, 1), LCTP)
          .then(UP, reserved(11, 1), UCTP);

  private RootEntry() {}
}
