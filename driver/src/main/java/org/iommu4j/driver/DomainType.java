package org.iommu4j.driver;

/** What a domain does with the accesses of the devices attached to it. */
public enum DomainType {
  /** Every access is blocked and reported. */
  BLOCKED,
  /** Addresses pass unchanged: no protection. */
  IDENTITY,
  /** Addresses are translated; an unmapped page is out of reach when {@code unmap} returns. */
  DMA_STRICT
}
