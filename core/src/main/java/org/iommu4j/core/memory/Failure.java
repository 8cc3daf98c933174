package org.iommu4j.core.memory;

/** A way in which an injected range of memory fails; see {@link PhysicalMemory#inject}. */
public enum Failure {
  /** Reads and writes violate an access rule of the platform (bus error, PMA or PMP). */
  ACCESS,
  /** Writes violate an access rule, reads succeed. */
  WRITE_ACCESS,
  /** Reads return poisoned (corrupted) data, writes succeed. */
  POISON
}
