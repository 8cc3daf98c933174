package org.iommu4j.riscv.driver;

import org.iommu4j.core.dma.Access;
import org.iommu4j.driver.support.TableFormat;
import org.iommu4j.riscv.layout.Pte;

/**
 * Sv39, Sv48, Sv57 and their x4 forms. Privileged ISA, "Supervisor" and "Hypervisor" chapters;
 * Svnapot for 64 KiB.
 *
 * <p>One encoding serves both stages: U is 1 everywhere, because requests without PASID, and those
 * with one that do not ask for privilege, are made as User, and because the second stage takes
 * every request for one. G stays 0, so that one PSCID reaches everything.
 *
 * @param mode the value for iosatp.MODE or iohgatp.MODE
 * @param levels 3, 4 or 5
 * @param rootBits log2 of the root's entries: 9, or 11 in the x4 forms
 * @param touched A and D are set from the start, so that hardware need not, or must not, set them
 */
record SvFormat(int mode, int levels, int rootBits, boolean touched) implements TableFormat {
  private static final int PAGE_SHIFT = 12;
  private static final int INDEX_BITS = 9;

  /** Svnapot knows one size: 64 KiB, 16 entries. */
  private static final int NAPOT_SHIFT = 16;

  /** Bits of the page number that say "64 KiB" where N is 1. */
  private static final long NAPOT_SIZE = 8;

  /** What a page keeps when it is made smaller. */
  private static final long ATTRIBUTES = ~(Pte.PPN.mask() | Pte.N.mask());

  @Override
  public int shift(int level) {
    return PAGE_SHIFT + INDEX_BITS * level;
  }

  @Override
  public int indexBits(int level) {
    return level == levels - 1 ? rootBits : INDEX_BITS;
  }

  /** Bits of an address that the root spans. */
  int addressBits() {
    return shift(levels - 1) + rootBits;
  }

  @Override
  public long pageSizes() {
    long sizes = 1L << NAPOT_SHIFT;
    for (int level = 0; level < levels; level++) {
      sizes |= 1L << shift(level);
    }
    return sizes;
  }

  @Override
  public long leaf(long pa, int shift, int permissions) {
    // W without R is reserved: who may write may read.
    long entry = Pte.V.mask() | Pte.U.mask();
    if ((permissions & Access.WRITE) != 0) {
      entry |= Pte.R.mask() | Pte.W.mask() | (touched ? Pte.D.mask() : 0);
    }
    if ((permissions & Access.READ) != 0) {
      entry |= Pte.R.mask();
    }
    if ((permissions & Access.EXECUTE) != 0) {
      entry |= Pte.X.mask();
    }
    return entry | (touched ? Pte.A.mask() : 0) | target(pa, shift);
  }

  private static long target(long pa, int shift) {
    long page = Pte.PPN.of(pa >>> PAGE_SHIFT);
    return shift == NAPOT_SHIFT ? page | Pte.PPN.of(NAPOT_SIZE) | Pte.N.mask() : page;
  }

  @Override
  public long table(long pa, int level) {
    return Pte.V.mask() | Pte.PPN.of(pa >>> PAGE_SHIFT);
  }

  @Override
  public int leafShift(long entry, int level) {
    return Pte.N.isSet(entry) ? NAPOT_SHIFT : shift(level);
  }

  @Override
  public long address(long entry, int level) {
    return Pte.PPN.get(entry) << PAGE_SHIFT & -(1L << leafShift(entry, level));
  }

  @Override
  public long resized(long entry, long pa, int shift) {
    return entry & ATTRIBUTES | target(pa, shift);
  }
}
