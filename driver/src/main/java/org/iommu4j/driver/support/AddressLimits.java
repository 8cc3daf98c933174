package org.iommu4j.driver.support;

/** Which addresses a domain takes, and what is said about those that it does not take. */
final class AddressLimits {
  private final long smallest;
  private final int iovaBits;
  private final int paBits;

  /** First and last address of each range that the unit never translates. */
  private final long[] untranslated;

  /**
   * Limits of one domain.
   *
   * @param smallest the smallest page, bytes
   * @param iovaBits bits of device addresses
   * @param paBits bits of physical addresses
   * @param untranslated first and last address of each range that the unit never translates
   */
  AddressLimits(long smallest, int iovaBits, int paBits, long[] untranslated) {
    this.smallest = smallest;
    this.iovaBits = iovaBits;
    this.paBits = paBits;
    this.untranslated = untranslated;
  }

  /** Whether a device address is within the domain's width. */
  boolean reaches(long iova) {
    return iova >>> iovaBits == 0;
  }

  /**
   * Checks a range of device addresses.
   *
   * @throws IllegalArgumentException if it is empty, not aligned or too high
   */
  void checkRange(long iova, long size) {
    long last = iova + size - 1;
    if (size <= 0 || ((iova | size) & (smallest - 1)) != 0 || (iova | last) >>> iovaBits != 0) {
      throw badRange(iova, size);
    }
  }

  /**
   * Checks where a range is to lead that {@link #checkRange} let pass, and that requests to it are
   * translated at all.
   *
   * @throws IllegalArgumentException if the target is not aligned or too high, or the unit never
   *     translates a part of the range
   */
  void checkTarget(long iova, long pa, long size) {
    if (((pa | iova | size) & (smallest - 1)) != 0
        || pa >>> paBits != 0
        || pa + size - 1 >>> paBits != 0) {
      throw badTarget(iova, pa, size);
    }
    for (int i = 0; i < untranslated.length; i += 2) {
      if (untranslated[i] <= iova + size - 1 && iova <= untranslated[i + 1]) {
        throw neverTranslated(iova, size, i);
      }
    }
  }

  private IllegalArgumentException badRange(long iova, long size) {
    return new IllegalArgumentException(
        "0x%x bytes at 0x%x: addresses and sizes are multiples of 0x%x below 0x%x"
            .formatted(size, iova, smallest, 1L << iovaBits));
  }

  private IllegalArgumentException neverTranslated(long iova, long size, int hole) {
    return new IllegalArgumentException(
        "0x%x bytes at 0x%x: the unit never translates 0x%x..0x%x; map around it"
            .formatted(size, iova, untranslated[hole], untranslated[hole + 1]));
  }

  private IllegalArgumentException badTarget(long iova, long pa, long size) {
    return new IllegalArgumentException(
        "0x%x bytes at 0x%x to 0x%x: physical addresses are multiples of 0x%x below 0x%x"
            .formatted(size, iova, pa, smallest, 1L << paBits));
  }
}
