package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/**
 * Entry of a host (v1) page table, of any level. 48882, "I/O Page Tables for Host Translations".
 */
public final class HostPte {
  /** Present. */
  public static final Field PR = bit("PR", 0);

  public static final Field A = bit("A", 5);
  public static final Field D = bit("D", 6);

  /** Level of the next table; 0 a page of the natural size, 7 one whose address tells its size. */
  public static final Field NEXT_LEVEL = bits("NextLevel", 11, 9);

  public static final Field ADDRESS = bits("Address", 51, 12);

  /** Page migration, on units that have it; reserved otherwise. */
  public static final Field PMC = bits("PMC", 58, 57);

  /** Of a page: a device has to use untranslated requests. */
  public static final Field U = bit("U", 59);

  /** Of a page: accesses are coherent. */
  public static final Field FC = bit("FC", 60);

  public static final Field IR = bit("IR", 61);
  public static final Field IW = bit("IW", 62);

  /** What must be 0 in an entry that points to a table. */
  public static final long POINTER_RESERVED = bits("reserved", 60, 52).mask();

  /** What must be 0 in an entry that points to a page. */
  public static final long PAGE_RESERVED = bits("reserved", 58, 52).mask();

  /** NextLevel of a page whose address tells its size. */
  public static final int SIZE_IN_ADDRESS = 7;

  public static final Layout LAYOUT =
      Layout.of(
          "host page table entry",
          "48882, I/O Page Tables for Host Translations",
          PR,
          bits("IGN", 4, 1).as(IGNORED),
          A,
          D,
          bits("IGN", 8, 7).as(IGNORED),
          NEXT_LEVEL,
          ADDRESS,
          bits("reserved", 56, 52).as(Field.Kind.RESERVED),
          PMC,
          U,
          FC,
          IR,
          IW,
          bit("IGN", 63).as(IGNORED));

  private HostPte() {}

  /** log2 of the page of an entry with NextLevel 7: the lowest 0 bit of the address tells. */
  public static int sizeShift(long entry) {
    long ones = ADDRESS.get(entry);
    return 13 + Long.numberOfTrailingZeros(~ones);
  }
}
