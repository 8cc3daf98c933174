package org.iommu4j.core.iotlb;

/**
 * Which entries an invalidation removes: those that meet every condition set here. A flyweight that
 * the invalidator reuses; {@link #everything} starts anew.
 *
 * <p>One vocabulary for all architectures: the tag's mask selects domain, VMID, GSCID, ASID, PSCID,
 * PASID or any mix; the data's mask selects attributes such as "not global"; the ranges select
 * addresses before (IOVA) and between (guest-physical) the stages.
 */
public final class Scope {
  long tagMask;
  long tag;
  long dataMask;
  long data;
  boolean byIova;
  long first;
  long last;
  boolean byAux;
  long auxFirst;
  long auxLast;

  /** No condition: every entry. */
  public Scope everything() {
    tagMask = 0;
    tag = 0;
    dataMask = 0;
    data = 0;
    byIova = false;
    byAux = false;
    return this;
  }

  /** Only entries whose tag equals {@code value} under {@code mask}; adds to earlier tag bits. */
  public Scope tag(long mask, long value) {
    tagMask |= mask;
    tag = (tag & ~mask) | (value & mask);
    return this;
  }

  /** Only entries whose data equals {@code value} under {@code mask}. */
  public Scope data(long mask, long value) {
    dataMask = mask;
    data = value & mask;
    return this;
  }

  /**
   * Only entries whose leaf of the tables covers any byte of {@code first..last}, both inclusive,
   * unsigned.
   */
  public Scope iova(long firstByte, long lastByte) {
    byIova = true;
    first = firstByte;
    last = lastByte;
    return this;
  }

  /** Only entries whose leaf behind the first stage covers any byte of {@code first..last}. */
  public Scope aux(long firstByte, long lastByte) {
    byAux = true;
    auxFirst = firstByte;
    auxLast = lastByte;
    return this;
  }

  boolean matches(long entryTag, long key, long entryData, long aux) {
    if (((entryTag ^ tag) & tagMask) != 0 || ((entryData ^ data) & dataMask) != 0) {
      return false;
    }
    return (!byIova || overlaps(key, Iotlb.leaf(key, aux), first, last))
        && (!byAux || overlaps(aux, Iotlb.auxLeaf(key, aux), auxFirst, auxLast));
  }

  private static boolean overlaps(long address, int shift, long first, long last) {
    long start = address >>> shift << shift;
    long end = start | ((1L << shift) - 1);
    return Long.compareUnsigned(start, last) <= 0 && Long.compareUnsigned(first, end) <= 0;
  }
}
