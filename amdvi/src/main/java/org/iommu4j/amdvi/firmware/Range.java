package org.iommu4j.amdvi.firmware;

/** Keeps values that do not fit out of records, so that writing never cuts anything off. */
final class Range {
  private Range() {}

  static void check(String name, long value, int bits) {
    if (value >>> bits != 0) {
      throw new IllegalArgumentException(
          "%s 0x%x does not fit into %d bits".formatted(name, value, bits));
    }
  }
}
