package org.iommu4j.vtd.model;

import org.iommu4j.vtd.layout.Registers;

/**
 * The protected memory regions while they are on: no DMA ends there. §10.16, PMEN_REG and its base
 * and limit registers.
 *
 * @param lowFirst first byte of the low region
 * @param lowLast last byte; below the first: no region
 * @param highFirst first byte of the high region
 * @param highLast last byte; below the first: no region
 */
record ProtectedMemory(long lowFirst, long lowLast, long highFirst, long highLast) {
  /** Regions have this granularity: 2 MiB, as the lowest writable address bit tells. */
  static final int GRANULARITY = 21;

  private static final long BELOW = (1L << GRANULARITY) - 1;

  /** From the registers: bases with their low bits 0, limits with them 1. */
  static ProtectedMemory of(long plmbase, long plmlimit, long phmbase, long phmlimit) {
    return new ProtectedMemory(
        Registers.REGION32.get(plmbase) & ~BELOW,
        Registers.REGION32.get(plmlimit) | BELOW,
        phmbase & ~BELOW,
        phmlimit | BELOW);
  }

  /** Whether the page of 4 KiB around an address is protected. */
  boolean covers(long pa) {
    return within(pa, lowFirst, lowLast) || within(pa, highFirst, highLast);
  }

  private static boolean within(long pa, long first, long last) {
    return Long.compareUnsigned(first, pa) <= 0 && Long.compareUnsigned(pa, last) <= 0;
  }
}
