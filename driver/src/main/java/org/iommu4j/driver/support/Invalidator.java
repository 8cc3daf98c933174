package org.iommu4j.driver.support;

/** Makes caches forget. */
@FunctionalInterface
public interface Invalidator {
  /**
   * Returns when no cache holds any of this any more, and no access that used it is in flight.
   *
   * @throws org.iommu4j.driver.DriverException if that cannot be brought about
   */
  void invalidate(Gather gather);
}
