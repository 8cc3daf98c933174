package org.iommu4j.driver.support;

import org.iommu4j.core.dma.Access;
import org.iommu4j.driver.ReservedRegion;

/**
 * A mapping of the driver's own, which a device has in whatever translating domain it is.
 *
 * @param iova first device address, a multiple of the smallest page
 * @param pa first physical address, likewise
 * @param size bytes, likewise
 * @param permissions {@link Access} bits
 */
public record Fixture(long iova, long pa, long size, int permissions) {
  /** A region that keeps its physical addresses, for reading and writing. */
  static Fixture direct(ReservedRegion r) {
    return new Fixture(r.first(), r.first(), r.last() - r.first() + 1, Access.READ | Access.WRITE);
  }

  long last() {
    return iova + size - 1;
  }

  boolean overlaps(long from, long to) {
    return iova <= to && from <= last();
  }
}
