package org.iommu4j.core.iotlb;

/**
 * The shape of a translation cache.
 *
 * @param sets a power of two, 1..2^20
 * @param ways 1..64; one set with many ways is fully associative
 * @param replacement which entry of a full set gives way
 */
public record Geometry(int sets, int ways, Replacement replacement) {
  /** 8,192 entries (256 KiB), 4-way: 32 MiB of 4 KiB pages, sixteen times an x86 core's L2 TLB. */
  public static final Geometry DEFAULT = new Geometry(2048, 4, Replacement.FIFO);

  /** Checks the ranges. */
  public Geometry {
    if (sets < 1 || sets > 1 << 20 || Integer.bitCount(sets) != 1) {
      throw new IllegalArgumentException("sets: " + sets + " is not a power of two up to 2^20");
    }
    if (ways < 1 || ways > 64) {
      throw new IllegalArgumentException("ways: " + ways + " is not within 1..64");
    }
  }

  /** Entries in all. */
  public int entries() {
    return sets * ways;
  }
}
