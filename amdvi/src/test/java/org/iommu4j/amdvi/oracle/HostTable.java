package org.iommu4j.amdvi.oracle;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A host page table that is being built in an image: pages are placed by address and size, and the
 * tables between are made on the way, some with levels left out.
 */
final class HostTable {
  private final World world;
  private final int levels;
  private final boolean tracked;
  private final Map<Long, Integer> levelOf = new HashMap<>();
  final long root;

  /**
   * @param tracked the unit sets A and D
   */
  HostTable(World world, int levels, boolean tracked) {
    this.world = world;
    this.levels = levels;
    this.tracked = tracked;
    this.root = table(levels);
  }

  private long table(int level) {
    long at = world.pages(1);
    levelOf.put(at, level);
    return at;
  }

  /** Address of the entry of that level; null if something stands in the way. */
  private @Nullable Long slot(long address, int level) {
    long table = root;
    for (int l = levels; ; ) {
      long at = table + 8 * (address >>> (3 + 9 * l) & 0x1ff);
      if (l == level) {
        return at;
      }
      long entry = world.image.load(at);
      if (entry == 0) {
        int next = l - 1;
        while (next > level && (address >>> (3 + 9 * next) & 0x1ff) == 0 && world.chance(0.6)) {
          next--;
        }
        entry = table(next) | (long) next << 9 | world.hostFlags(0.03, tracked);
        world.put(at, entry, Word.Kind.POINTER);
      }
      table = Machine.page(entry);
      Integer next = levelOf.get(table);
      if (next == null || next < level) {
        return null;
      }
      for (int skipped = next + 1; skipped < l; skipped++) {
        if ((address >>> (3 + 9 * skipped) & 0x1ff) != 0) {
          return null;
        }
      }
      l = next;
    }
  }

  /** Places a page of 2^{@code shift} bytes unless something is there already. */
  boolean put(long address, int shift, long frame, long flags) {
    int level = (shift - 12) / 9 + 1;
    int natural = 3 + 9 * level;
    if (level > levels) {
      return false;
    }
    if (shift == natural) {
      Long at = slot(address, level);
      if (at == null || world.image.load(at) != 0) {
        return false;
      }
      world.put(at, frame | flags, Word.Kind.DATA);
      return true;
    }
    Long at = slot(address, level);
    if (at == null) {
      return false;
    }
    int copies = 1 << (shift - natural);
    long first = at & ~(8L * copies - 1);
    for (int i = 0; i < copies; i++) {
      if (world.image.load(first + 8L * i) != 0) {
        return false;
      }
    }
    long ones = (1L << (shift - 1)) - 0x1000;
    // A unit may set A and D in any of them: they are set from the beginning.
    long both = HostTables.A | HostTables.D;
    for (int i = 0; i < copies; i++) {
      world.image.store(first + 8L * i, frame | ones | 7L << 9 | flags | both);
    }
    return true;
  }
}
