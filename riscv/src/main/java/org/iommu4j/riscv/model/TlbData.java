package org.iommu4j.riscv.model;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.dma.Access;

/**
 * The data word of an IOTLB entry: where the page is and who may do what there.
 *
 * <pre>
 *   | 59  | 58 | 57..56 | 55..12 | 11 10 9  | 8 7 6    | 5..0     |
 *   | MSI | G  | PBMT   | page   | Sx Sw Sr | Ux Uw Ur | shift-12 |
 * </pre>
 *
 * The permissions are those of both stages together, once for user and once for supervisor requests
 * (with SUM = 0); a write permission is only there if no D bit has to be set first.
 */
final class TlbData {
  static final Field SHIFT = Field.bits("shift-12", 5, 0);
  static final Field USER = Field.bits("user rwx", 8, 6);
  static final Field SUPERVISOR = Field.bits("supervisor rwx", 11, 9);
  static final Field PAGE = Field.bits("page", 55, 12);
  static final Field PBMT = Field.bits("PBMT", 57, 56);
  static final Field G = Field.bit("G", 58);
  static final Field MSI = Field.bit("MSI", 59);

  private TlbData() {}

  /**
   * @param user whether a user request may use the permissions
   * @param supervisor whether a supervisor request may, SUM aside
   * @param granted Access bits
   */
  static long of(
      long pa,
      int shift,
      int granted,
      boolean user,
      boolean supervisor,
      int pbmt,
      boolean global,
      boolean msi) {
    return SHIFT.of(shift - 12)
        | (user ? USER.of(granted) : 0)
        | (supervisor ? SUPERVISOR.of(granted) : 0)
        | PAGE.in(pa)
        | PBMT.of(pbmt)
        | (global ? G.mask() : 0)
        | (msi ? MSI.mask() : 0);
  }

  /** The permission bit that an untranslated request of a user needs: execute, write or read. */
  static long userNeed(int access) {
    return 0x40L << need(access);
  }

  /** The same for a supervisor. */
  static long supervisorNeed(int access) {
    return 0x200L << need(access);
  }

  private static int need(int access) {
    // A write (or atomic) needs W whatever else is set; a read for execution needs X and not R.
    return (access & Access.WRITE) >>> 1 | (access & ~(access << 1) & Access.EXECUTE) >>> 1;
  }

  static long pa(long data, long iova) {
    long offset = (1L << shift(data)) - 1;
    return (PAGE.in(data) & ~offset) | (iova & offset);
  }

  static int shift(long data) {
    return SHIFT.getInt(data) + 12;
  }
}
