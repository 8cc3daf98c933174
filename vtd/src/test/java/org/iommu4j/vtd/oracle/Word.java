package org.iommu4j.vtd.oracle;

/**
 * A word of a structure, and which of its bits may be flipped without making two structures out of
 * one: caches may show either of them then.
 *
 * @param at its address
 * @param kind what it is
 */
record Word(long at, Kind kind) {
  enum Kind {
    /** Points to a table: not to another page of the same image, nor to one a whole GiB away. */
    POINTER,
    /** A leaf that leads to data: anything. */
    DATA,
    /** A domain id in bits 15:0: no other domain's. */
    DOMAIN,
    /** A domain id in bits 23:8. */
    CONTEXT_DOMAIN,
    /** Any other word. */
    PLAIN
  }

  boolean mayFlip(int bit) {
    return switch (kind) {
      case POINTER -> bit < 12 || bit > 19;
      case DATA, PLAIN -> true;
      case DOMAIN -> bit >= 6;
      case CONTEXT_DOMAIN -> bit < 8 || bit >= 14;
    };
  }
}
