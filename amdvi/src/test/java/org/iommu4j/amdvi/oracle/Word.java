package org.iommu4j.amdvi.oracle;

/**
 * A word of a structure, and which of its bits may be flipped without making two structures out of
 * one: caches may show either of them then.
 *
 * @param at its address
 * @param kind what it is
 */
record Word(long at, Kind kind) {
  enum Kind {
    /** Points to a table: not to another page of the same image. */
    POINTER,
    /** A leaf that leads to data: anything. */
    DATA,
    /** Word 0 of a device table entry: pointers as above. */
    DTE_0,
    /** Word 1: neither the DomainID nor the low part of the GCR3 pointer. */
    DTE_1,
    /** Word 2: the pointer as above. */
    DTE_2
  }

  boolean mayFlip(int bit) {
    return switch (kind) {
      case POINTER -> bit < 12 || bit > 19;
      case DATA -> true;
      case DTE_0 -> bit < 12 || (bit > 19 && bit < 58) || bit > 60;
      case DTE_1 -> bit >= 32;
      case DTE_2 -> bit < 6 || bit > 19;
    };
  }
}
