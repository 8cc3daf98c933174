package org.iommu4j.amdvi.oracle;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/** A guest page table that is being built in an image. */
final class GuestTable {
  private final World world;
  private final int levels;

  /** From where a table is to what its pointer says. */
  private final LongUnaryOperator name;

  private final Map<Long, Long> byName = new HashMap<>();
  final long root;

  GuestTable(World world, int levels, LongUnaryOperator name) {
    this.world = world;
    this.levels = levels;
    this.name = name;
    this.root = table();
  }

  private long table() {
    long at = world.pages(1);
    long named = name.applyAsLong(at);
    byName.put(named, at);
    return named;
  }

  private @Nullable Long slot(long address, int level) {
    long table = root;
    for (int l = levels; ; l--) {
      Long at = byName.get(table);
      if (at == null) {
        return null;
      }
      long slot = at + 8 * (address >>> (3 + 9 * l) & 0x1ff);
      if (l == level) {
        return slot;
      }
      long entry = world.image.load(slot);
      if (entry == 0) {
        table = table();
        world.put(slot, table | world.guestFlags(0.02), Word.Kind.POINTER);
      } else {
        table = Machine.page(entry);
      }
    }
  }

  /** Places a leaf unless something is there already. */
  boolean put(long address, int level, long entry) {
    Long at = slot(address, level);
    if (at == null || world.image.load(at) != 0) {
      return false;
    }
    world.put(at, entry | (level > 1 ? GuestTables.PS : 0), Word.Kind.DATA);
    return true;
  }
}
