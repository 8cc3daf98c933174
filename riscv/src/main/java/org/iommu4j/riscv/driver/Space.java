package org.iommu4j.riscv.driver;

/**
 * The identity of an address space: what caches tag its entries with, and where its tables are.
 *
 * @param pscid tag of the first stage, 0 if there is none
 * @param gscid tag of the second stage, 0 if there is none
 * @param fsc the word for DC.fsc or PC.fsc: the first stage's root, 0 for Bare
 * @param iohgatp the word for DC.iohgatp: the second stage's root, 0 for Bare
 */
record Space(int pscid, int gscid, long fsc, long iohgatp) {
  /** Neither stage translates. */
  static final Space NONE = new Space(0, 0, 0, 0);

  /** Whether the tables that the domain changes are those of the first stage. */
  boolean firstStage() {
    return fsc != 0;
  }

  /** Whether there is a second stage. */
  boolean guest() {
    return iohgatp != 0;
  }
}
