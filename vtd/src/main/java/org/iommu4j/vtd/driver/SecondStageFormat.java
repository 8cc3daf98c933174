package org.iommu4j.vtd.driver;

import org.iommu4j.core.dma.Access;
import org.iommu4j.driver.support.TableFormat;
import org.iommu4j.vtd.layout.SecondStagePte;

/**
 * Second-stage tables, of legacy and scalable mode alike. §9.8. Entries that lead to tables grant
 * everything: the page says what is granted.
 *
 * @param levels 3, 4 or 5
 * @param pageSizes bit n: pages of 2^n bytes
 * @param readOnly whether pages may be mapped for reading only
 */
record SecondStageFormat(int levels, long pageSizes, boolean readOnly) implements TableFormat {
  private static final int PAGE_SHIFT = 12;
  private static final int INDEX_BITS = 9;

  /** The code for AW of a context entry or PASID entry. */
  static int width(int levels) {
    return levels - 2;
  }

  @Override
  public int shift(int level) {
    return PAGE_SHIFT + INDEX_BITS * level;
  }

  @Override
  public int indexBits(int level) {
    return INDEX_BITS;
  }

  /** For the tables that guests' tables stand on. */
  SecondStageFormat withoutReadOnly() {
    return new SecondStageFormat(levels, pageSizes, false);
  }

  /** Bits of an address that the root spans. */
  int addressBits() {
    return shift(levels);
  }

  @Override
  public long leaf(long pa, int shift, int permissions) {
    if (!readOnly && (permissions & Access.WRITE) == 0) {
      throw new IllegalArgumentException(
          "0x%x cannot be mapped for reading only: the unit has erratum 772415 (read_only_nested)"
              .formatted(pa));
    }
    long entry = SecondStagePte.ADDR.in(pa);
    if ((permissions & (Access.READ | Access.EXECUTE)) != 0) {
      entry |= SecondStagePte.R.mask(); // no execute permission: who may fetch may read
    }
    if ((permissions & Access.WRITE) != 0) {
      entry |= SecondStagePte.W.mask();
    }
    return shift == PAGE_SHIFT ? entry : entry | SecondStagePte.PS.mask();
  }

  @Override
  public long table(long pa, int level) {
    return SecondStagePte.R.mask() | SecondStagePte.W.mask() | SecondStagePte.ADDR.in(pa);
  }

  @Override
  public int leafShift(long entry, int level) {
    return shift(level);
  }

  @Override
  public long address(long entry, int level) {
    return SecondStagePte.ADDR.in(entry) & -(1L << shift(level));
  }

  @Override
  public long resized(long entry, long pa, int shift) {
    long attributes = entry & ~(SecondStagePte.ADDR.mask() | SecondStagePte.PS.mask());
    long size = shift == PAGE_SHIFT ? 0 : SecondStagePte.PS.mask();
    return attributes | size | SecondStagePte.ADDR.in(pa);
  }
}
