package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** Entry of a guest (v2) page table: AMD64 long mode. 48882, "Guest Page Tables". */
public final class GuestPte {
  public static final Field P = bit("P", 0);
  public static final Field RW = bit("R/W", 1);
  public static final Field US = bit("U/S", 2);
  public static final Field PWT = bit("PWT", 3);
  public static final Field PCD = bit("PCD", 4);
  public static final Field A = bit("A", 5);
  public static final Field D = bit("D", 6);

  /** Page size: a leaf above the last level. In an entry of the last level this is PAT. */
  public static final Field PS = bit("PS", 7);

  public static final Field G = bit("G", 8);

  /** PAT of a leaf above the last level. */
  public static final Field PAT = bit("PAT", 12);

  public static final Field ADDRESS = bits("Address", 51, 12);
  public static final Field NX = bit("NX", 63);

  public static final Layout LAYOUT =
      Layout.of(
          "guest page table entry",
          "48882, Guest Page Tables",
          P,
          RW,
          US,
          PWT,
          PCD,
          A,
          D,
          PS,
          G,
          bits("IGN", 11, 9).as(IGNORED),
          ADDRESS,
          bits("IGN", 62, 52).as(IGNORED),
          NX);

  /** An entry of a GCR3 table: where the next level, or a guest's tables, are. */
  public static final Field GCR3_V = bit("V", 0);

  public static final Field GCR3_ADDRESS = bits("GCR3", 51, 12);

  public static final Layout GCR3_LAYOUT =
      Layout.of(
          "GCR3 table entry",
          "48882, Guest CR3 Table",
          GCR3_V,
          bits("reserved", 11, 1).as(Field.Kind.RESERVED),
          GCR3_ADDRESS,
          bits("reserved", 63, 52).as(Field.Kind.RESERVED));

  private GuestPte() {}
}
