package org.iommu4j.core.iotlb;

/** Which entry of a full set gives way. */
public enum Replacement {
  /** The one that was filled first. */
  FIFO,
  /** Any. */
  RANDOM,
  /** The one that was used least recently; every hit writes a time stamp. */
  LRU
}
