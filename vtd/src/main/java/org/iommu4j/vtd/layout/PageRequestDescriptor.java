package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** Page request descriptor, 32 bytes: what a device asks software for. §7.4. */
public final class PageRequestDescriptor {
  /** Bytes of a descriptor. */
  public static final int BYTES = 32;

  /** The only type there is. */
  public static final int PAGE_REQUEST = 1;

  // Word 0.
  public static final Field TYPE = bits("TYPE", 7, 0);

  /** PASID present. */
  public static final Field PP = bit("PP", 8);

  public static final Field RID = bits("RID", 31, 16);
  public static final Field PASID = bits("PASID", 51, 32);

  /** Execute requested. */
  public static final Field EXR = bit("EXR", 52);

  /** Privileged mode requested. */
  public static final Field PMR = bit("PMR", 53);

  // Word 1.
  public static final Field RDR = bit("RDR", 0);
  public static final Field WRR = bit("WRR", 1);

  /** Last page in group. */
  public static final Field LPIG = bit("LPIG", 2);

  /** Page request group index. */
  public static final Field PRGI = bits("PRGI", 11, 3);

  public static final Field ADDR = bits("ADDR", 63, 12);

  public static final Layout LAYOUT =
      Layout.of(
              "page request descriptor",
              "VT-d §7.4",
              TYPE,
              PP,
              reserved(15, 9),
              RID,
              PASID,
              EXR,
              PMR,
              reserved(63, 54))
          .then(RDR, WRR, LPIG, PRGI, ADDR)
          .then(reserved(63, 0))
          .then(reserved(63, 0));

  private PageRequestDescriptor() {}
}
