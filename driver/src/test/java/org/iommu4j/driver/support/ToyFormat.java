package org.iommu4j.driver.support;

import org.iommu4j.core.dma.Access;

/**
 * A format that nobody has: bit 0 valid, bit 1 page, bits 4:2 permissions, bits 55:8 address, bit
 * 56 set by hardware, bits 62:57 log2 of a page's size. Its tables can be small, so that few steps
 * of a test meet many of them.
 *
 * @param levels of a full walk
 * @param bits log2 entries of every table
 * @param pageSizes one size per level that may hold pages, and any groups
 */
record ToyFormat(int levels, int bits, long pageSizes) implements TableFormat {
  static final long VALID = 1;
  static final long PAGE = 2;
  static final long ADDRESS = 0xff_ffff_ffff_ff00L;
  static final long TOUCHED = 1L << 56;

  @Override
  public int shift(int level) {
    return 12 + bits * level;
  }

  @Override
  public int indexBits(int level) {
    return bits;
  }

  @Override
  public long leaf(long pa, int shift, int permissions) {
    return VALID | PAGE | (long) permissions << 2 | (long) shift << 57 | pa;
  }

  @Override
  public long table(long pa, int level) {
    return VALID | pa;
  }

  @Override
  public int leafShift(long entry, int level) {
    return (int) (entry >>> 57) & 0x3f;
  }

  @Override
  public long address(long entry, int level) {
    return entry & ADDRESS;
  }

  @Override
  public long resized(long entry, long pa, int shift) {
    return (entry & (0xff | TOUCHED)) | (long) shift << 57 | pa;
  }

  static int permissions(long entry) {
    return (int) (entry >>> 2) & (Access.READ | Access.WRITE | Access.EXECUTE);
  }
}
