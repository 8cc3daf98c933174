package org.iommu4j.vtd.driver;

import org.iommu4j.core.dma.Access;
import org.iommu4j.driver.support.TableFormat;
import org.iommu4j.vtd.layout.FirstStagePte;

/**
 * First-stage tables, as processors have them. §9.7. U/S is 1 everywhere, because requests are made
 * as User; accessed and dirty bits are set from the start, so that hardware never writes to tables.
 *
 * @param levels 4 or 5
 * @param pageSizes bit n: pages of 2^n bytes
 */
record FirstStageFormat(int levels, long pageSizes) implements TableFormat {
  private static final int PAGE_SHIFT = 12;
  private static final int INDEX_BITS = 9;
  private static final long PRESENT =
      FirstStagePte.P.mask() | FirstStagePte.US.mask() | FirstStagePte.A.mask();

  @Override
  public int shift(int level) {
    return PAGE_SHIFT + INDEX_BITS * level;
  }

  @Override
  public int indexBits(int level) {
    return INDEX_BITS;
  }

  /** Bits of an address of the lower half: of the upper one all bits above are 1. */
  int addressBits() {
    return shift(levels) - 1;
  }

  @Override
  public long leaf(long pa, int shift, int permissions) {
    // There is no page that can be written and not read.
    long entry = PRESENT | FirstStagePte.ADDR.in(pa);
    if ((permissions & Access.WRITE) != 0) {
      entry |= FirstStagePte.RW.mask() | FirstStagePte.D.mask();
    }
    return shift == PAGE_SHIFT ? entry : entry | FirstStagePte.PS.mask();
  }

  @Override
  public long table(long pa, int level) {
    return PRESENT | FirstStagePte.RW.mask() | FirstStagePte.ADDR.in(pa);
  }

  @Override
  public int leafShift(long entry, int level) {
    return shift(level);
  }

  @Override
  public long address(long entry, int level) {
    return FirstStagePte.ADDR.in(entry) & -(1L << shift(level));
  }

  @Override
  public long resized(long entry, long pa, int shift) {
    long attributes = entry & ~(FirstStagePte.ADDR.mask() | FirstStagePte.PS.mask());
    long size = shift == PAGE_SHIFT ? 0 : FirstStagePte.PS.mask();
    return attributes | size | FirstStagePte.ADDR.in(pa);
  }
}
