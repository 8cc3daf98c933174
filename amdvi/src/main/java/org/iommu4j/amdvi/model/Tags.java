package org.iommu4j.amdvi.model;

import org.iommu4j.core.bits.Field;

/**
 * The tag of every translation cache: which address space an entry belongs to. DomainID is the tag
 * of the specification; what goes through guest tables has a PASID, too. It is as wide as a
 * request's, so that one that is too large is not taken for another.
 *
 * <pre>
 *   | 49..19 | 18     | 17    | 16..1    | 0 |
 *   | PASID  | nested | guest | DomainID | 1 |
 * </pre>
 */
final class Tags {
  private static final Field ONE = Field.bit("1", 0);
  static final Field DOMAIN = Field.bits("DomainID", 16, 1);
  static final Field PASID = Field.bits("PASID", 49, 19);
  static final Field GUEST = Field.bit("guest", 17);
  static final Field NESTED = Field.bit("nested", 18);

  private Tags() {}

  /** Translations by host tables alone. */
  static long host(int domain) {
    return ONE.mask() | DOMAIN.of(domain);
  }

  /** Translations by guest tables, with or without host tables behind them. */
  static long guest(int domain, int pasid, boolean nested) {
    return ONE.mask()
        | DOMAIN.of(domain)
        | PASID.of(pasid)
        | GUEST.mask()
        | (nested ? NESTED.mask() : 0);
  }
}
