package org.iommu4j.amdvi.oracle;

import org.jspecify.annotations.Nullable;

/** Host page tables (v1): one to six levels. */
final class HostTables {
  static final long PR = 1;
  static final long A = 1L << 5;
  static final long D = 1L << 6;
  static final long U = 1L << 59;
  static final long FC = 1L << 60;
  static final long IR = 1L << 61;
  static final long IW = 1L << 62;

  /**
   * @param out the address, offset included
   * @param r I/O read permission of all levels
   * @param w I/O write permission of all levels
   * @param at where the entry is; 0 if there is none
   */
  record Leaf(long out, int shift, boolean r, boolean w, boolean untranslatedOnly, long at) {}

  /** How a walk stops: with a cause, and with an entry's address if it could not be read. */
  interface Faults {
    Stop fault(Rule rule, long address);

    Stop hardware(Rule rule, long address, long type);

    /** Whether the unit may change an entry; if not, with what it stops. */
    @Nullable Stop update(long at, long recorded);
  }

  private final Machine m;
  private final Image image;
  private final Dte dte;
  private final Faults faults;

  HostTables(Machine m, Image image, Dte dte, Faults faults) {
    this.m = m;
    this.image = image;
    this.dte = dte;
    this.faults = faults;
  }

  static int shift(int level) {
    return 3 + 9 * level;
  }

  /**
   * One address.
   *
   * @param read permission to read is needed
   * @param write permission to write is needed
   * @param dirty the page will be written
   */
  Leaf walk(long address, boolean read, boolean write, boolean dirty) {
    return walk(address, read, write, dirty, dte.ir(), dte.iw());
  }

  /** The address of an entry of a guest's table: what the device may do does not matter. */
  Leaf table(long address, boolean write, boolean dirty) {
    return walk(address, true, write, dirty, true, true);
  }

  private Leaf walk(
      long address, boolean read, boolean write, boolean dirty, boolean ir, boolean iw) {
    int mode = dte.mode();
    if (mode == 0) {
      return new Leaf(address, 64, ir, iw, false, 0);
    }
    // Section 3.3
    if (mode > m.hostLevels()) {
      throw faults.fault(Rule.MODE_UNSUPPORTED, address);
    }
    // Section 4.2
    int width = shift(mode + 1);
    if (mode < 6 && address >>> width != 0) {
      throw faults.fault(Rule.TOO_WIDE, address);
    }
    boolean r = ir;
    boolean w = iw;
    long table = dte.root();
    int level = mode;
    while (true) {
      // 2.
      long at = table + 8 * (address >>> shift(level) & 0x1ff);
      if (image.fails(at, 8, false)) {
        throw faults.hardware(Rule.PAGE_TABLE_READ, at, image.why(at));
      }
      long entry = image.load(at);
      // 3.
      if ((entry & PR) == 0) {
        throw faults.fault(Rule.NOT_PRESENT, address);
      }
      // 4. and 11.
      int next = (int) (entry >>> 9) & 7;
      boolean leaf = next == 0 || next == 7;
      if (!leaf && next >= level) {
        throw faults.fault(Rule.PTE_LEVEL, address);
      }
      // 5.
      if ((entry & (leaf ? 0x07f0_0000_0000_0000L : 0x1ff0_0000_0000_0000L)) != 0) {
        throw faults.fault(Rule.PTE_RESERVED, address);
      }
      // 6.
      r &= (entry & IR) != 0;
      w &= (entry & IW) != 0;
      if ((read && !r) || (write && !w)) {
        throw faults.fault(Rule.PERMISSION, address);
      }
      // 7. and 8.
      if (leaf) {
        int shift = next == 0 ? shift(level) : size(entry);
        boolean fits = shift > shift(level) && shift < shift(level + 1);
        if (next == 0 ? level == 6 : !fits) {
          throw faults.fault(Rule.PTE_SIZE, address);
        }
        // 10.
        update(at, entry, dirty && w, address);
        long low = (1L << shift) - 1;
        return new Leaf(
            Machine.page(entry) & ~low | address & low, shift, r, w, (entry & U) != 0, at);
      }
      // 9.
      for (int skipped = next + 1; skipped < level; skipped++) {
        if ((address >>> shift(skipped) & 0x1ff) != 0) {
          throw faults.fault(Rule.PTE_SKIPPED, address);
        }
      }
      // 10.
      update(at, entry, false, address);
      table = Machine.page(entry);
      level = next;
    }
  }

  /** Section 4.3: log2 of the size that ones in the address tell. */
  static int size(long entry) {
    int bit = 12;
    while (bit < 52 && (entry >>> bit & 1) != 0) {
      bit++;
    }
    return bit + 1;
  }

  /** D of a page that a translation request is granted W for; false if that cannot be. */
  boolean dirty(Leaf leaf) {
    if (leaf.at == 0) {
      return true;
    }
    long entry = image.load(leaf.at);
    boolean needed = m.hdSup() && dte.had() == 3 && (entry & D) == 0;
    if (needed && faults.update(leaf.at, 0) != null) {
      return false;
    }
    update(leaf.at, entry, true, 0);
    return true;
  }

  private void update(long at, long entry, boolean dirty, long address) {
    boolean a = m.haSup() && (dte.had() & 1) != 0;
    boolean d = a && m.hdSup() && dte.had() == 3 && dirty;
    long now = entry | (a ? A : 0) | (d ? D : 0);
    if (now != entry) {
      Stop stop = faults.update(at, address);
      if (stop != null) {
        throw stop;
      }
      if (image.fails(at, 8, true)) {
        throw faults.hardware(Rule.PAGE_TABLE_READ, at, image.why(at));
      }
      image.store(at, now);
    }
  }
}
