package org.iommu4j.amdvi.driver;

import org.iommu4j.amdvi.layout.GuestPte;

/** A guest's memory, and the tables that the guest makes there. Addresses are guest-physical. */
final class GuestMemory {
  private static final long TABLE =
      GuestPte.P.mask() | GuestPte.RW.mask() | GuestPte.US.mask() | GuestPte.A.mask();

  /** A page that everybody may read and write. */
  static final long PAGE = TABLE | GuestPte.D.mask();

  private final Rig rig;

  /** Where address 0 is in truth. */
  final long base;

  /** The next page that no table has. */
  private long next = 0x1000;

  GuestMemory(Rig rig, long base) {
    this.rig = rig;
    this.base = base;
  }

  /** A page for a table. */
  long table() {
    long at = next;
    next += 0x1000;
    return at;
  }

  void write(long gpa, long value) {
    rig.memory.writeLong(base + gpa, value);
  }

  long read(long gpa) {
    return rig.memory.readLong(base + gpa);
  }

  private long step(long table, long index, long flags) {
    long at = table + ((index & 0x1ff) << 3);
    if (read(at) == 0) {
      write(at, table() | flags);
    }
    return read(at) & 0x000f_ffff_ffff_f000L;
  }

  /** Makes a PASID lead to a page table; 0 for none. */
  void process(long gcr3, int gcr3Levels, int pasid, long root) {
    long table = gcr3;
    for (int level = gcr3Levels; level > 1; level--) {
      table = step(table, pasid >>> 9 * (level - 1), GuestPte.GCR3_V.mask());
    }
    write(table + ((pasid & 0x1ffL) << 3), root == 0 ? 0 : root | GuestPte.GCR3_V.mask());
  }

  /** The address of the entry of an address's page, made reachable. */
  long entry(long root, int levels, long iova) {
    long table = root;
    for (int level = levels; level > 1; level--) {
      table = step(table, iova >>> 3 + 9 * level, TABLE);
    }
    return table + ((iova >>> 12 & 0x1ff) << 3);
  }

  /** Maps a page. */
  void map(long root, int levels, long iova, long gpa) {
    write(entry(root, levels, iova), gpa | PAGE);
  }
}
