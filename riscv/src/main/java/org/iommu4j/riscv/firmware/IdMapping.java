package org.iommu4j.riscv.firmware;

/**
 * A range of a device's or root complex's ids, and what becomes of them.
 *
 * @param source first id
 * @param count number of ids
 * @param destination the device_id of the first
 * @param iommu index of the IOMMU's node in the table
 * @param flags bit 0 ATS required, bit 1 PRI required
 */
public record IdMapping(long source, long count, long destination, int iommu, long flags) {
  /** Whether the devices work only with ATS. */
  public boolean atsRequired() {
    return (flags & 1) != 0;
  }

  /** Whether the devices work only with page requests. */
  public boolean priRequired() {
    return (flags & 2) != 0;
  }

  /** Whether an id is in the range. The kernel takes one more, which is its mistake. */
  public boolean contains(long id) {
    return id >= source && id - source < count;
  }

  /** The device_id of an id in the range. */
  public long map(long id) {
    return destination + id - source;
  }
}
