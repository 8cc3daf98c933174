package org.iommu4j.riscv.model;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.iotlb.Geometry;
import org.iommu4j.core.iotlb.Iotlb;

/**
 * Cached refusals, kept in worst-case behaviour only: a valid first-stage entry that refused an
 * access may be cached as it was, so software that repairs it without an invalidation still faults.
 * §3.8.2. Entries with V = 0 are never kept.
 */
final class Denials {
  private static final Field ACCESS = Field.bits("access", 2, 0);
  private static final Field SUPERVISOR = Field.bit("supervisor", 3);
  private static final Field SUM = Field.bit("SUM", 4);
  private static final Field CAUSE = Field.bits("cause", 20, 8);

  /** Apart from the address space, which the shared tag holds in bits 38:0. */
  private static final Field KIND = Field.bits("kind", 63, 48);

  final Iotlb entries;

  Denials(Geometry geometry) {
    entries = new Iotlb(geometry);
  }

  int cause(Workspace w, long tag, long iova) {
    long data = entries.lookup(tag | KIND.of(kind(w)), iova);
    return data == Iotlb.MISS ? 0 : CAUSE.getInt(data);
  }

  void keep(Workspace w, long tag, long iova, int cause) {
    // Any address of the leaf removes it; a page may be one of 16 that share one (Svnapot).
    int leaf = Math.max(w.missShift, 16);
    long key = tag | KIND.of(kind(w));
    entries.fill(w.seenDenials, key, iova, w.missShift, CAUSE.of(cause), 0, leaf, 0);
  }

  private static long kind(Workspace w) {
    return ACCESS.of(w.access) | (w.supervisor ? SUPERVISOR.mask() : 0) | (w.sum ? SUM.mask() : 0);
  }
}
