package org.iommu4j.amdvi.driver;

import org.iommu4j.amdvi.layout.HostPte;
import org.iommu4j.core.dma.Access;
import org.iommu4j.driver.support.TableFormat;

/**
 * Host (v1) tables. 48882, "I/O Page Tables for Host Translations". A page has any power of two of
 * bytes; what is not the natural size of its level takes a group of equal entries with NextLevel 7.
 * Entries that lead to tables grant everything: the page says what is granted.
 *
 * @param levels 3, 4 or 5
 * @param pageSizes bit n: pages of 2^n bytes
 */
record HostFormat(int levels, long pageSizes) implements TableFormat {
  /** From 4 KiB up to below 512 GiB, which hardware is known to get wrong. */
  static final long SIZES = (1L << 39) - (1L << 12);

  private static final int PAGE_SHIFT = 12;
  private static final int INDEX_BITS = 9;

  @Override
  public int shift(int level) {
    return PAGE_SHIFT + INDEX_BITS * level;
  }

  @Override
  public int indexBits(int level) {
    return INDEX_BITS;
  }

  int addressBits() {
    return shift(levels);
  }

  @Override
  public long leaf(long pa, int shift, int permissions) {
    long entry = HostPte.PR.mask() | sized(pa, shift);
    if ((permissions & (Access.READ | Access.EXECUTE)) != 0) {
      entry |= HostPte.IR.mask(); // no execute permission: who may fetch may read
    }
    return (permissions & Access.WRITE) != 0 ? entry | HostPte.IW.mask() : entry;
  }

  /** Address, NextLevel and, below the address, the ones that tell the size. */
  private static long sized(long pa, int shift) {
    if ((shift - PAGE_SHIFT) % INDEX_BITS == 0) {
      return HostPte.ADDRESS.in(pa);
    }
    long ones = (1L << shift - 1) - (1L << PAGE_SHIFT);
    return HostPte.NEXT_LEVEL.of(HostPte.SIZE_IN_ADDRESS) | HostPte.ADDRESS.in(pa) | ones;
  }

  @Override
  public long table(long pa, int level) {
    return HostPte.PR.mask()
        | HostPte.IR.mask()
        | HostPte.IW.mask()
        | HostPte.NEXT_LEVEL.of(level + 1)
        | HostPte.ADDRESS.in(pa);
  }

  @Override
  public int leafShift(long entry, int level) {
    return HostPte.NEXT_LEVEL.get(entry) == HostPte.SIZE_IN_ADDRESS
        ? HostPte.sizeShift(entry)
        : shift(level);
  }

  @Override
  public long address(long entry, int level) {
    return HostPte.ADDRESS.in(entry) & -(1L << leafShift(entry, level));
  }

  @Override
  public long resized(long entry, long pa, int shift) {
    long attributes = entry & ~(HostPte.ADDRESS.mask() | HostPte.NEXT_LEVEL.mask());
    return attributes | sized(pa, shift);
  }
}
