package org.iommu4j.driver.support;

/**
 * One format of radix page tables with entries of 8 bytes, as {@link PageTable} needs to know it.
 * Level 0 is the lowest, whose entries lead to the smallest pages. An entry of 0 is not valid.
 *
 * <p>A page may be larger than what one entry of its level spans: then it takes a group of
 * consecutive entries, all with the same value (RISC-V Svnapot, AMD's next-level 7).
 */
public interface TableFormat {
  /** Levels of a full walk. */
  int levels();

  /** Log2 of the bytes that one entry of a table of this level spans. */
  int shift(int level);

  /** Log2 of the entries of a table of this level. */
  int indexBits(int level);

  /**
   * The sizes that a page can have, see {@link PageSizes}. With any size it has the span of one
   * entry of that size's level.
   */
  long pageSizes();

  /**
   * The entry for a page.
   *
   * @param pa its first byte, aligned to its size
   * @param shift log2 of its size
   * @param permissions {@link org.iommu4j.core.dma.Access} bits
   */
  long leaf(long pa, int shift, int permissions);

  /**
   * The entry that leads to a table.
   *
   * @param pa the table's address
   * @param level the table's level
   */
  long table(long pa, int level);

  /** Log2 of the size of the page that an entry of this level leads to. */
  int leafShift(long entry, int level);

  /** The first byte of the page that an entry leads to. */
  long address(long entry, int level);

  /** An entry for another page with the same permissions, type and accessed and dirty bits. */
  long resized(long entry, long pa, int shift);
}
