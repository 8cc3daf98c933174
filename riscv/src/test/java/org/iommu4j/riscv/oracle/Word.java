package org.iommu4j.riscv.oracle;

/**
 * A word of a structure, and which of its bits may be flipped without making two structures out of
 * one: caches may show either of them then.
 *
 * @param at its address
 * @param size bytes
 * @param bigEndian its byte order
 * @param kind what it is
 */
record Word(long at, int size, boolean bigEndian, int kind) {
  /** A pointer to a table: not to another page of the same image. */
  static final int POINTER = 0;

  /** A leaf that leads to data: anything. */
  static final int DATA = 1;

  /** Never touched. */
  static final int FIXED = 2;

  /** A word with a page number in bits 43:0. */
  static final int CONTEXT = 3;

  /** Any other word. */
  static final int PLAIN = 4;

  boolean mayFlip(int bit) {
    return switch (kind) {
      case POINTER -> bit < 10 || bit > 19;
      case CONTEXT -> bit < 2 || bit > 11;
      case FIXED -> false;
      default -> true;
    };
  }
}
