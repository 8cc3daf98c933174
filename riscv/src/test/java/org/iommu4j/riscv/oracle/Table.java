package org.iommu4j.riscv.oracle;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A page table that is being built in an image: entries are placed by address and level, and the
 * tables between are made on the way.
 */
final class Table {
  private final World world;
  private final int levels;
  private final int indexBits;
  private final int rootBits;
  private final int size;
  private final boolean bigEndian;

  /** What is added to a table's physical address to get the one that pointers name. */
  private final long delta;

  /** The tables below the root; an entry to elsewhere is a leaf that lost its permissions. */
  private final Set<Long> made = new HashSet<>();

  final long root;

  private Table(
      World world,
      int levels,
      int indexBits,
      int rootBits,
      int size,
      boolean bigEndian,
      long delta) {
    this.world = world;
    this.levels = levels;
    this.indexBits = indexBits;
    this.rootBits = rootBits;
    this.size = size;
    this.bigEndian = bigEndian;
    this.delta = delta;
    this.root = world.pages(1 << (rootBits - indexBits));
  }

  /** Sv39, Sv48, Sv57 by mode, or Sv32. */
  static Table first(World w, int mode, boolean narrow, boolean bigEndian, long delta) {
    return narrow
        ? new Table(w, 2, 10, 10, 4, bigEndian, delta)
        : new Table(w, mode - 5, 9, 9, 8, bigEndian, delta);
  }

  /** The same with x4. */
  static Table second(World w, int mode, boolean narrow, boolean bigEndian) {
    return narrow
        ? new Table(w, 2, 10, 12, 4, bigEndian, 0)
        : new Table(w, mode - 5, 9, 11, 8, bigEndian, 0);
  }

  boolean narrow() {
    return size == 4;
  }

  int levels() {
    return levels;
  }

  int shift(int level) {
    return 12 + indexBits * level;
  }

  /**
   * Address of the entry of that level for {@code address}; null if another entry is in the way.
   */
  private Long slot(long address, int level) {
    long table = root;
    for (int l = levels - 1; ; l--) {
      int bits = l == levels - 1 ? rootBits : indexBits;
      long at = table + (address >>> shift(l) & ((1 << bits) - 1)) * size;
      if (l == level) {
        return at;
      }
      long entry = world.image.load(at, size, bigEndian);
      if (entry == 0) {
        table = world.pages(1);
        made.add(table);
        entry = (table + delta) >>> 12 << 10 | 1;
        if (world.chance(0.2)) {
          entry |= Stages.G;
        }
        world.image.store(at, size, entry, bigEndian);
        world.note(new Word(at, size, bigEndian, Word.POINTER));
      } else {
        table = (entry >>> 10 << 12) - delta;
        if ((entry & 0xe) != 0 || !made.contains(table)) {
          return null;
        }
      }
    }
  }

  /**
   * Places a leaf, in all 16 entries if it is one of 64 KiB, unless one is there already.
   *
   * @param kind what may be done to it later
   */
  void put(long address, int level, long entry, int kind) {
    boolean napot = size == 8 && entry < 0 && level == 0;
    long first = napot ? address & ~0xffffL : address;
    for (int i = 0; i < (napot ? 16 : 1); i++) {
      Long at = slot(first + 4096L * i, level);
      if (at != null && world.image.load(at, size, bigEndian) == 0) {
        world.image.store(at, size, entry, bigEndian);
        // The 16 have to stay alike.
        world.note(new Word(at, size, bigEndian, napot ? Word.FIXED : kind));
      }
    }
  }

  /** The levels at which a leaf can stand. */
  List<Integer> leafLevels() {
    return levels == 2 ? List.of(0, 0, 1) : List.of(0, 0, 0, 1, 1, 2, levels - 1);
  }
}
