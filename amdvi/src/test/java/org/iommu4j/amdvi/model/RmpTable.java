package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.RmpEntry;

/** A reverse map table for all memory of a {@link Rig}, beside it. */
final class RmpTable {
  static final long BASE = 0x5_5550_0000L;
  static final long END =
      BASE + RmpEntry.BOOKKEEPING_BYTES + (Rig.MEMORY + Rig.SIZE >>> 12 << 4) - 1;

  private final Rig rig;

  RmpTable(Rig rig) {
    this.rig = rig;
    rig.memory.addAnonymous(BASE, END + 1 - BASE);
  }

  /** A unit of a system that is SNP-enabled. */
  static Rig.Builder unit() {
    return capable().option("rmp_base", hex(BASE)).option("rmp_end", hex(END));
  }

  /** A unit that can be made so. */
  static Rig.Builder capable() {
    return Rig.with().efr(ExtendedFeatures.SNP_SUP, 1).efr2(ExtendedFeatures.SNP_AVIC_SUP, 1);
  }

  static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  /** Where the entry of a page is. */
  static long entry(long pa) {
    return BASE + RmpEntry.BOOKKEEPING_BYTES + (pa >>> 12 << 4);
  }

  RmpTable set(long pa, long entry) {
    rig.store(entry(pa), entry, 0);
    return this;
  }

  /** Gives a page of 4 KiB to a guest, and counts it. */
  RmpTable assign(long pa) {
    long head = entry(pa & -1L << 21);
    rig.store(entry(pa), rig.load(entry(pa)) | 1 | RmpEntry.ASID.of(7) | RmpEntry.GPA.of(0x123));
    if (head != entry(pa)) {
      rig.store(head, rig.load(head) + RmpEntry.SUBPAGE_COUNT.of(1));
    }
    return this;
  }
}
