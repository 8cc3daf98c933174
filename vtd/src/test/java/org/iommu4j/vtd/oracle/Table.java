package org.iommu4j.vtd.oracle;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A page table that is being built in an image: entries are placed by address and level, and the
 * tables between are made on the way.
 */
final class Table {
  private final World world;
  private final boolean first;
  private final int levels;

  /** From where a table is to what its pointer says. */
  private final LongUnaryOperator name;

  private final Map<Long, Long> byName = new HashMap<>();
  final long root;

  Table(World world, boolean first, int levels, LongUnaryOperator name) {
    this.world = world;
    this.first = first;
    this.levels = levels;
    this.name = name;
    this.root = table();
  }

  int levels() {
    return levels;
  }

  private long table() {
    long at = world.pages(1);
    long named = name.applyAsLong(at);
    byName.put(named, at);
    return named;
  }

  /** Address of the entry of that level for {@code address}; null if a leaf stands in the way. */
  private @Nullable Long slot(long address, int level) {
    long table = root;
    for (int l = levels; ; l--) {
      long at = byName.get(table) + 8 * (address >>> (3 + 9 * l) & 0x1ff);
      if (l == level) {
        return at;
      }
      long entry = world.image.load(at);
      if (entry == 0) {
        table = table();
        world.put(at, table | world.tableFlags(first), Word.Kind.POINTER);
      } else {
        table = entry & 0xf_ffff_ffff_f000L;
        if (!byName.containsKey(table)) {
          return null;
        }
      }
    }
  }

  /** Places a leaf unless something is there already. */
  boolean put(long address, int level, long entry, Word.Kind kind) {
    Long at = slot(address, level);
    if (at == null || world.image.load(at) != 0) {
      return false;
    }
    world.put(at, entry, kind);
    return true;
  }
}
