package org.iommu4j.amdvi.model;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.dma.Access;

/**
 * The data word of an IOTLB entry: where the page is and who may do what there.
 *
 * <pre>
 *   | 55    | 54 | 53 | 52 | 51..12 | 11 10 9  | 8 7 6    | 5..0     |
 *   | exact | 1  | U  | FC | page   | Sx Sw Sr | Ux Uw Ur | shift-12 |
 * </pre>
 *
 * The permissions are those of all tables together, once for user and once for supervisor requests;
 * those of the device table entry come on top. Writing is only there if no D bit has to be set
 * first; "exact" says that it is missing for no such reason.
 */
final class TlbData {
  static final Field SHIFT = Field.bits("shift-12", 5, 0);
  static final Field USER = Field.bits("user xwr", 8, 6);
  static final Field SUPERVISOR = Field.bits("supervisor xwr", 11, 9);
  static final Field PAGE = Field.bits("page", 51, 12);
  static final Field FC = Field.bit("FC", 52);
  static final Field U = Field.bit("U", 53);
  static final Field PRESENT = Field.bit("1", 54);
  static final Field EXACT = Field.bit("exact", 55);

  /** In {@code Translation.memoryType}: the access is coherent whatever its attributes say. */
  static final int FORCE_COHERENT = 0x100;

  private TlbData() {}

  static long of(
      long pa, int shift, int user, int supervisor, boolean exact, boolean coherent, boolean u) {
    return SHIFT.of(shift - 12)
        | USER.of(user)
        | SUPERVISOR.of(supervisor)
        | PAGE.in(pa)
        | (coherent ? FC.mask() : 0)
        | (u ? U.mask() : 0)
        | PRESENT.mask()
        | (exact ? EXACT.mask() : 0);
  }

  /** READ, WRITE and EXECUTE as an access needs them. */
  static int need(int access) {
    if ((access & Access.WRITE) == 0) {
      return Access.READ | (access & Access.EXECUTE);
    }
    return (access & Access.ATOMIC) != 0 ? Access.READ | Access.WRITE : Access.WRITE;
  }

  static long pa(long data, long iova) {
    long offset = (1L << shift(data)) - 1;
    return (PAGE.in(data) & ~offset) | (iova & offset);
  }

  static int shift(long data) {
    return SHIFT.getInt(data) + 12;
  }

  static int memoryType(long data) {
    return FC.isSet(data) ? FORCE_COHERENT : 0;
  }
}
