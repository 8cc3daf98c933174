package org.iommu4j.riscv.model;

import org.iommu4j.core.bits.Field;

/**
 * The tag of every translation cache: which address space an entry belongs to. §3.8.2.
 *
 * <pre>
 *   | 38  | 37..22 | 21   | 20..1 | 0 |
 *   | GV  | GSCID  | PSCV | PSCID | 1 |
 * </pre>
 *
 * PSCV = 0: no first stage. GV = 0: no second stage.
 */
final class Tags {
  private static final Field ONE = Field.bit("1", 0);
  static final Field PSCID = Field.bits("PSCID", 20, 1);
  static final Field PSCV = Field.bit("PSCV", 21);
  static final Field GSCID = Field.bits("GSCID", 37, 22);
  static final Field GV = Field.bit("GV", 38);

  private Tags() {}

  static long of(boolean pscv, int pscid, boolean gv, int gscid) {
    return ONE.mask()
        | (pscv ? PSCV.mask() | PSCID.of(pscid) : 0)
        | (gv ? GV.mask() | GSCID.of(gscid) : 0);
  }

  /** The tag of the second stage alone: entries are found by guest-physical address. */
  static long secondStage(int gscid) {
    return of(false, 0, true, gscid);
  }

  /** The first stage's part dropped. */
  static long withoutProcess(long tag) {
    return tag & ~(PSCV.mask() | PSCID.mask());
  }
}
