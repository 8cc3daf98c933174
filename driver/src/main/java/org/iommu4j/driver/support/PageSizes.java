package org.iommu4j.driver.support;

import java.util.StringJoiner;

/** Sets of page sizes as bits: bit n set means that pages of {@code 2^n} bytes exist. */
public final class PageSizes {
  private PageSizes() {}

  /** The set of the sizes with these logarithms. */
  public static long of(int... shifts) {
    long sizes = 0;
    for (int s : shifts) {
      sizes |= 1L << s;
    }
    return sizes;
  }

  /**
   * The largest page of the set that can start at both addresses and is not longer than {@code
   * size}; 0 if there is none. Page tables meet all three conditions with one AND each, because a
   * set of sizes is its own list of masks.
   */
  public static long largest(long sizes, long iova, long pa, long size) {
    long aligned = Long.lowestOneBit(iova | pa);
    long fits = sizes & (Long.highestOneBit(size) * 2 - 1);
    // Both addresses 0: aligned to everything.
    return Long.highestOneBit(aligned == 0 ? fits : fits & (aligned * 2 - 1));
  }

  /**
   * How many bytes from here on are best mapped with {@code page}, the {@link #largest} page: up to
   * the next place where a larger one fits, or to the end.
   */
  public static long run(long sizes, long page, long iova, long pa, long size) {
    long whole = size & -page;
    long larger = Long.lowestOneBit(sizes & -page & ~page);
    if (larger == 0 || ((iova ^ pa) & (larger - 1)) != 0) {
      return whole; // never again aligned for a larger one
    }
    long ahead = larger - (iova & (larger - 1));
    return size - ahead >= larger ? ahead : whole;
  }

  /** For people: {@code 4K, 2M, 1G}. */
  public static String describe(long sizes) {
    StringJoiner text = new StringJoiner(", ");
    for (long left = sizes; left != 0; left &= left - 1) {
      int shift = Long.numberOfTrailingZeros(left);
      text.add((1L << shift % 10) + "BKMGTPE".substring(shift / 10, shift / 10 + 1));
    }
    return text.toString();
  }
}
