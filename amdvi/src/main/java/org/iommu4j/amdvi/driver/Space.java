package org.iommu4j.amdvi.driver;

/**
 * What addresses are translated by.
 *
 * @param kind how
 * @param domainId of host tables what caches tag their translations with; else of no meaning
 * @param root the page table
 */
record Space(Kind kind, int domainId, long root) {
  /** How addresses are translated. */
  enum Kind {
    BLOCKED,
    PASS_THROUGH,
    HOST,
    GUEST
  }

  /** Domain id of everything that passes through, with host tables. */
  static final int PASS_THROUGH_ID = 1;

  static final Space BLOCKED = new Space(Kind.BLOCKED, 0, 0);
  static final Space PASS_THROUGH = new Space(Kind.PASS_THROUGH, PASS_THROUGH_ID, 0);

  boolean allowed() {
    return kind != Kind.BLOCKED;
  }
}
