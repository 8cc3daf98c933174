package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** First-stage paging entry of any level. §9.7. */
public final class FirstStagePte {
  public static final Field P = bit("P", 0);

  /** Writing is allowed. */
  public static final Field RW = bit("R/W", 1);

  /** User accesses are allowed. */
  public static final Field US = bit("U/S", 2);

  public static final Field PWT = bit("PWT", 3);
  public static final Field PCD = bit("PCD", 4);
  public static final Field A = bit("A", 5);
  public static final Field D = bit("D", 6);

  /** Page size: a leaf above the last level. In an entry of the last level this is PAT. */
  public static final Field PS = bit("PS", 7);

  /** Extended accessed, if EAFE. */
  public static final Field EA = bit("EA", 10);

  /** PAT of a leaf above the last level. */
  public static final Field PAT = bit("PAT", 12);

  public static final Field ADDR = bits("ADDR", 51, 12);

  public static final Layout LAYOUT =
      Layout.of(
          "first-stage paging entry",
          "VT-d §9.7",
          P,
          RW,
          US,
          PWT,
          PCD,
          A,
          D,
          PS,
          bits("IGN", 9, 8).as(IGNORED),
          EA,
          bit("IGN", 11).as(IGNORED),
          ADDR,
          bits("IGN", 62, 52).as(IGNORED),
          bit("XD", 63).as(IGNORED));

  private FirstStagePte() {}
}
