package org.iommu4j.riscv.model;

/** A page table of three levels, Sv39 or Sv39x4, written into a rig's memory by hand. */
final class Map39 {
  static final long V = 1;
  static final long R = 2;
  static final long W = 4;
  static final long X = 8;
  static final long U = 16;
  static final long G = 32;
  static final long A = 64;
  static final long D = 128;

  /** Everything that a plain user page has. */
  static final long USER = V | R | W | X | U | A | D;

  static final long SUPERVISOR = USER & ~U;

  private final Rig rig;
  private final int rootEntries;
  final long root;

  private Map39(Rig rig, int rootPages) {
    this.rig = rig;
    this.root = rig.frames(rootPages);
    this.rootEntries = 512 * rootPages;
  }

  static Map39 first(Rig rig) {
    return new Map39(rig, 1);
  }

  /** With the root of 16 KiB that the second stage has. */
  static Map39 second(Rig rig) {
    return new Map39(rig, 4);
  }

  static long leaf(long pa, long flags) {
    return pa >>> 12 << 10 | flags;
  }

  /** The entry that maps {@code iova} with pages of 4 KiB, 2 MiB or 1 GiB (level 0, 1, 2). */
  long slot(long iova, int level) {
    long at = root + 8 * (iova >>> 30 & rootEntries - 1);
    for (int l = 1; l >= level; l--) {
      long e = rig.memory.readLong(at);
      if (e == 0) {
        e = leaf(rig.frame(), V);
        rig.memory.writeLong(at, e);
      }
      at = (e >>> 10 << 12) + 8 * (iova >>> 12 + 9 * l & 0x1ff);
    }
    return at;
  }

  Map39 map(long iova, long pa, int level, long flags) {
    rig.memory.writeLong(slot(iova, level), leaf(pa, flags));
    return this;
  }

  Map39 map(long iova, long pa, long flags) {
    return map(iova, pa, 0, flags);
  }

  /** Maps {@code size} bytes by themselves, in pages of 2 MiB. */
  Map39 identity(long pa, long size) {
    for (long at = pa; at < pa + size; at += 1 << 21) {
      map(at, at, 1, USER);
    }
    return this;
  }
}
