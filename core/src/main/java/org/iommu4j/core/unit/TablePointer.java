package org.iommu4j.core.unit;

import org.iommu4j.core.bits.Field;

/**
 * What a paging-structure cache keeps of a walk: where the next table is, how it is indexed, and
 * what was found on the way there. As one doubleword that is never 0.
 */
public final class TablePointer {
  private static final Field ENTRY_SHIFT = Field.bits("entry shift", 5, 0);
  private static final Field PRESENT = Field.bit("present", 6);

  /** Four bits of the architecture's own: what the tables above granted, or whether global. */
  public static final Field CARRIED = Field.bits("carried", 10, 7);

  private static final Field TABLE = Field.bits("table", 55, 12);

  private TablePointer() {}

  /**
   * A pointer.
   *
   * @param table the physical address of a table, a multiple of 4 KiB
   * @param entryShift log2 of the bytes that each of its entries covers
   * @param carried 4 bits
   */
  public static long of(long table, int entryShift, int carried) {
    return TABLE.in(table) | ENTRY_SHIFT.of(entryShift) | CARRIED.of(carried) | PRESENT.mask();
  }

  /** log2 of the bytes that each entry of the table covers. */
  public static int entryShift(long pointer) {
    return ENTRY_SHIFT.getInt(pointer);
  }

  /** The physical address of the table. */
  public static long table(long pointer) {
    return TABLE.in(pointer);
  }

  /** The four bits of the architecture's own. */
  public static int carried(long pointer) {
    return CARRIED.getInt(pointer);
  }
}
