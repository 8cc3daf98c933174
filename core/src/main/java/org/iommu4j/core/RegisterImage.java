package org.iommu4j.core;

import java.util.Map;
import java.util.TreeMap;

/**
 * The registers of one unit as they were read from a machine: 32-bit words by offset.
 *
 * @param name the unit's name
 * @param base physical address of the register page
 * @param words offset to value, offsets multiples of 4
 */
public record RegisterImage(String name, long base, Map<Integer, Integer> words) {
  /** Copies the map. */
  public RegisterImage {
    words = new TreeMap<>(words);
  }

  /** The word at {@code offset}; 0 if it was not readable. */
  public long get32(int offset) {
    return words.getOrDefault(offset, 0) & 0xffff_ffffL;
  }

  /** The doubleword at {@code offset}. */
  public long get64(int offset) {
    return get32(offset) | get32(offset + 4) << 32;
  }
}
