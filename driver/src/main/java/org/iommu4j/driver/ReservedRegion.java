package org.iommu4j.driver;

/**
 * Device addresses that are not free for any use.
 *
 * @param first first address
 * @param last last address, inclusive
 * @param kind what is the matter with them
 * @param reason one line for people
 */
public record ReservedRegion(long first, long last, Kind kind, String reason) {
  /** What is the matter with a region. */
  public enum Kind {
    /** Never translated, whatever is mapped; {@link Domain#map} refuses them. */
    UNTRANSLATED,
    /**
     * Mapped to the same physical addresses by the driver, in every domain that the device is
     * attached to, because firmware or the device itself relies on it.
     */
    DIRECT,
    /** Where the driver maps what interrupt messages are written to, when there are any. */
    MESSAGES
  }

  /**
   * Checks the order.
   *
   * @throws IllegalArgumentException if the last address is before the first
   */
  public ReservedRegion {
    if (Long.compareUnsigned(last, first) < 0) {
      throw new IllegalArgumentException(
          "a region from 0x%x to 0x%x ends before it starts".formatted(first, last));
    }
  }

  /** Whether any of {@code from..to} lies in the region. */
  public boolean overlaps(long from, long to) {
    return Long.compareUnsigned(first, to) <= 0 && Long.compareUnsigned(from, last) <= 0;
  }

  @Override
  public String toString() {
    return "0x%x..0x%x (%s)".formatted(first, last, reason);
  }
}
