package org.iommu4j.bench;

/** How many tables lie between a device's address and memory. */
public enum Shape {
  /** One stage of three levels: Sv39 and its like. */
  THREE_LEVELS,
  /** One stage of four levels: Sv48 and its like. */
  FOUR_LEVELS,
  /** Four levels, each of whose tables is found through four levels: Sv48 over Sv48x4. */
  FOUR_OVER_FOUR
}
