package org.iommu4j.riscv.driver;

/**
 * What a device, or its requests with one PASID, may do.
 *
 * @param allowed false: everything is blocked
 * @param space how addresses are translated; {@link Space#NONE} if they are not
 */
record Use(boolean allowed, Space space) {
  static final Use BLOCKED = new Use(false, Space.NONE);
}
