package org.iommu4j.vtd.driver;

/**
 * What addresses are translated by, and what caches tag the results with.
 *
 * @param kind how
 * @param did domain id; of no meaning if blocked
 * @param root first-stage or second-stage root table; of a nested space the guest's
 * @param levels its levels
 * @param parentRoot second-stage root table below a guest's, else 0
 * @param parentLevels its levels
 */
record Space(Kind kind, int did, long root, int levels, long parentRoot, int parentLevels) {
  /** How addresses are translated. */
  enum Kind {
    BLOCKED,
    PASS_THROUGH,
    FIRST_STAGE,
    SECOND_STAGE,
    NESTED
  }

  /** Everything that passes through has the same domain id, as all of it is the same. */
  static final int PASS_THROUGH_DID = 1;

  /** Nothing passes. */
  static final Space BLOCKED = new Space(Kind.BLOCKED, 0, 0, 0, 0, 0);

  /** Everything passes as it is. */
  static final Space PASS_THROUGH = new Space(Kind.PASS_THROUGH, PASS_THROUGH_DID, 0, 0, 0, 0);

  static Space of(Kind kind, int did, long root, int levels) {
    return new Space(kind, did, root, levels, 0, 0);
  }

  boolean allowed() {
    return kind != Kind.BLOCKED;
  }

  /** Whether caches hold second-stage or nested translations, which PASIDs do not reach. */
  boolean secondStage() {
    return kind == Kind.SECOND_STAGE || kind == Kind.NESTED;
  }
}
