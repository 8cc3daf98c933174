package org.iommu4j.core.dma;

/**
 * What the host bridge, not the unit, finds wrong with a request. The bridge carries accesses out;
 * architectures let it tell the unit, which records the fault with its own.
 */
public enum BridgeError {
  /** An atomic, or an access to registers, that is not naturally aligned. */
  MISALIGNED,
  /** An error inside the bridge or the unit itself: the data cannot be trusted. */
  INTERNAL
}
