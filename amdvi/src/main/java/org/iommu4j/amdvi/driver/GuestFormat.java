package org.iommu4j.amdvi.driver;

import org.iommu4j.amdvi.layout.GuestPte;
import org.iommu4j.core.dma.Access;
import org.iommu4j.driver.support.TableFormat;

/**
 * Guest (v2) tables, as processors have them. 48882, "Guest Page Tables". U/S is 1 everywhere,
 * because requests are made as User; accessed and dirty bits are set from the start, so that
 * hardware never writes to tables.
 *
 * @param levels 4 or 5
 * @param pageSizes bit n: pages of 2^n bytes
 * @param noExecute pages can be mapped without execute permission
 */
record GuestFormat(int levels, long pageSizes, boolean noExecute) implements TableFormat {
  static final long SIZES = 1L << 12 | 1L << 21 | 1L << 30;

  /** GuestPagingMode counts from here. */
  static final int LEAST = 4;

  private static final int PAGE_SHIFT = 12;
  private static final int INDEX_BITS = 9;
  private static final long PRESENT = GuestPte.P.mask() | GuestPte.US.mask() | GuestPte.A.mask();

  @Override
  public int shift(int level) {
    return PAGE_SHIFT + INDEX_BITS * level;
  }

  @Override
  public int indexBits(int level) {
    return INDEX_BITS;
  }

  /** Bits of an address of the lower half: one table serves requests with and without PASID. */
  int addressBits() {
    return shift(levels) - 1;
  }

  @Override
  public long leaf(long pa, int shift, int permissions) {
    // There is no page that can be written and not read.
    long entry = PRESENT | GuestPte.ADDRESS.in(pa);
    if ((permissions & Access.WRITE) != 0) {
      entry |= GuestPte.RW.mask() | GuestPte.D.mask();
    }
    if (noExecute && (permissions & Access.EXECUTE) == 0) {
      entry |= GuestPte.NX.mask();
    }
    return shift == PAGE_SHIFT ? entry : entry | GuestPte.PS.mask();
  }

  @Override
  public long table(long pa, int level) {
    return PRESENT | GuestPte.RW.mask() | GuestPte.ADDRESS.in(pa);
  }

  @Override
  public int leafShift(long entry, int level) {
    return shift(level);
  }

  @Override
  public long address(long entry, int level) {
    return GuestPte.ADDRESS.in(entry) & -(1L << shift(level));
  }

  @Override
  public long resized(long entry, long pa, int shift) {
    long attributes = entry & ~(GuestPte.ADDRESS.mask() | GuestPte.PS.mask());
    long size = shift == PAGE_SHIFT ? 0 : GuestPte.PS.mask();
    return attributes | size | GuestPte.ADDRESS.in(pa);
  }
}
