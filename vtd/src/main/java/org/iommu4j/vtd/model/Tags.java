package org.iommu4j.vtd.model;

import org.iommu4j.core.bits.Field;

/**
 * The tag of every translation cache: which address space an entry belongs to. §6.2.
 *
 * <pre>
 *   | 38    | 37    | 36..17 | 16..1 | 0 |
 *   | exact | first | PASID  | DID   | 1 |
 * </pre>
 *
 * Choice: entries are found by domain id (and PASID), not by source id. The specification obliges
 * software to give one domain id to one second stage, and one {domain id, PASID} to one first
 * stage; so sources share entries, as they may.
 */
final class Tags {
  private static final Field ONE = Field.bit("1", 0);
  static final Field DID = Field.bits("DID", 16, 1);
  static final Field PASID = Field.bits("PASID", 36, 17);

  /** The address is one before the first stage. */
  static final Field FIRST = Field.bit("first", 37);

  /** Second-stage entries that belong to one PASID: worst-case behaviour keeps them apart. */
  static final Field EXACT = Field.bit("exact", 38);

  private Tags() {}

  /** Translations through a first stage. */
  static long first(int did, int pasid) {
    return ONE.mask() | DID.of(did) | PASID.of(pasid) | FIRST.mask();
  }

  /** Translations through a second stage alone, whoever uses it. */
  static long second(int did) {
    return ONE.mask() | DID.of(did);
  }

  /** The same, of one PASID. */
  static long exact(int did, int pasid) {
    return ONE.mask() | DID.of(did) | PASID.of(pasid) | EXACT.mask();
  }
}
