package org.iommu4j.amdvi.driver;

import org.iommu4j.driver.GuestTable;
import org.jspecify.annotations.Nullable;

/**
 * What addresses are translated by.
 *
 * @param kind how
 * @param domainId where host tables take part, what caches tag the translations with; else of no
 *     meaning
 * @param root the page table; of a nested space the host's
 * @param guest of a nested space the guest's GCR3 table
 */
record Space(Kind kind, int domainId, long root, @Nullable GuestTable guest) {
  /** How addresses are translated. */
  enum Kind {
    BLOCKED,
    PASS_THROUGH,
    HOST,
    GUEST,
    NESTED
  }

  /** Domain id of everything that passes through, with host tables. */
  static final int PASS_THROUGH_ID = 1;

  static final Space BLOCKED = new Space(Kind.BLOCKED, 0, 0);
  static final Space PASS_THROUGH = new Space(Kind.PASS_THROUGH, PASS_THROUGH_ID, 0);

  Space(Kind kind, int domainId, long root) {
    this(kind, domainId, root, null);
  }

  boolean allowed() {
    return kind != Kind.BLOCKED;
  }

  /** Whether host tables take part. */
  boolean throughHost() {
    return kind == Kind.HOST || kind == Kind.NESTED;
  }

  /** Whether guest tables take part. */
  boolean throughGuest() {
    return kind == Kind.GUEST || kind == Kind.NESTED;
  }
}
