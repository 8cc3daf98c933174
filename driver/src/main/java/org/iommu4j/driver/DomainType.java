package org.iommu4j.driver;

/** What a domain does with the accesses of the devices attached to it. */
public enum DomainType {
  /** Every access is blocked and reported. */
  BLOCKED,
  /** Addresses pass unchanged: no protection. */
  IDENTITY,
  /** Addresses are translated; an unmapped page is out of reach when {@code unmap} returns. */
  DMA_STRICT,
  /**
   * As {@link #DMA_STRICT}, with tables that {@link #NESTED} domains can stand on: what is a device
   * address here is a guest's physical address there.
   */
  NESTING_PARENT,
  /**
   * Addresses are translated by a table that a guest owns, and what comes out of it by a {@link
   * #NESTING_PARENT}; made by {@link IommuDriver#createNestedDomain}.
   */
  NESTED;

  /** Whether {@link Domain#map} and {@link Domain#unmap} are for domains of the type. */
  public boolean maps() {
    return this == DMA_STRICT || this == NESTING_PARENT;
  }
}
