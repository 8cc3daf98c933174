package org.iommu4j.vtd.model;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.dma.Access;

/**
 * The data word of an IOTLB entry: where the page is and who may do what there.
 *
 * <pre>
 *   | 56..53  | 52  | 51..12 | 11    | 10 | 9 8   | 7 6   | 5..0     |
 *   | IPAT EMT| SNP | page   | exact | 1  | Sw Sr | Uw Ur | shift-12 |
 * </pre>
 *
 * The permissions are those of both stages together, once for user and once for supervisor
 * requests. Writing is only there if no D bit has to be set first; "exact" says that it is missing
 * for no such reason.
 */
final class TlbData {
  static final Field SHIFT = Field.bits("shift-12", 5, 0);
  static final Field USER = Field.bits("user wr", 7, 6);
  static final Field SUPERVISOR = Field.bits("supervisor wr", 9, 8);
  static final Field PRESENT = Field.bit("1", 10);
  static final Field EXACT = Field.bit("exact", 11);
  static final Field PAGE = Field.bits("page", 51, 12);
  static final Field SNP = Field.bit("SNP", 52);
  static final Field TYPE = Field.bits("EMT, IPAT", 56, 53);

  private TlbData() {}

  static long of(
      long pa, int shift, int user, int supervisor, boolean exact, boolean snoop, int type) {
    return SHIFT.of(shift - 12)
        | USER.of(user)
        | SUPERVISOR.of(supervisor)
        | PRESENT.mask()
        | (exact ? EXACT.mask() : 0)
        | PAGE.in(pa)
        | (snoop ? SNP.mask() : 0)
        | TYPE.of(type);
  }

  /** The permission bits that an access of a user needs: R, W or, of an atomic, both. */
  static long userNeed(int access) {
    // READ and WRITE are in the order of Ur and Uw; what only writes needs no R.
    return (long) need(access) << 6;
  }

  /** READ and WRITE as an access needs them. */
  static int need(int access) {
    if ((access & Access.WRITE) == 0) {
      return Access.READ;
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

  /** What {@code Translation.memoryType} says: {@link #FORCE_SNOOP}, and the EMT field. */
  static int memoryType(long data) {
    return (SNP.isSet(data) ? FORCE_SNOOP : 0) | TYPE.getInt(data);
  }

  /** In {@code Translation.memoryType}: the access is snooped whatever its attributes say. */
  static final int FORCE_SNOOP = 0x100;
}
