package org.iommu4j.vtd.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongUnaryOperator;

/** Page tables for one address space, with a handful of pages in them. */
final class Guest {
  private final World w;
  private final List<Long> addresses = new ArrayList<>();

  Guest(World world) {
    this.w = world;
  }

  List<Long> addresses() {
    return addresses;
  }

  /** A second stage; its root. */
  long second(int aw) {
    Table table = new Table(w, false, aw + 2, LongUnaryOperator.identity());
    long limit = 1L << Math.min(w.machine.mgaw(), 30 + 9 * aw);
    for (int n = w.random.nextInt(2, 7); n > 0 && w.room(8); n--) {
      pages(table, false, address(limit, false));
    }
    return table.root;
  }

  /** A first stage in host addresses; its root. */
  long first(int fspm) {
    Table table = new Table(w, true, 4 + fspm, LongUnaryOperator.identity());
    fill(table);
    return table.root;
  }

  /** A first stage behind a second one: the root of either. */
  long[] nested(int fspm, int aw) {
    Table second = new Table(w, false, aw + 2, LongUnaryOperator.identity());
    int width = Math.min(Math.min(w.machine.mgaw(), 30 + 9 * aw), w.machine.haw());
    long region = w.random.nextLong(1L << width) >>> 21 << 21;
    Table first =
        new Table(
            w,
            true,
            4 + fspm,
            at -> {
              // All tables within 2 MiB, so that a few second-stage tables are enough.
              long gpa = region | at & 0xf_f000L;
              second.put(gpa, 1, at | tablePage(), Word.Kind.POINTER);
              return gpa;
            });
    List<Long> outputs = new ArrayList<>();
    for (int n = w.random.nextInt(2, 6); n > 0 && w.room(12); n--) {
      int level = w.machine.second2m() && w.chance(0.3) ? 2 : 1;
      long gpa = w.random.nextLong(1L << width) & ~0xfffL;
      if (second.put(gpa, level, leaf(false, level), Word.Kind.DATA)) {
        outputs.add(gpa);
      }
    }
    for (int n = w.random.nextInt(2, 6); n > 0 && w.room(8); n--) {
      long va = address(0, true);
      int level = w.chance(0.25) ? 2 : 1;
      long gpa = outputs.isEmpty() || w.chance(0.1) ? w.frame(12) : w.pick(outputs);
      long low = level == 2 ? 0x1f_ffffL : 0xfffL;
      if (first.put(va, level, gpa & ~low | w.leafFlags(true, level), Word.Kind.DATA)) {
        // The place in the page that leads to the output.
        addresses.add(va & ~low | gpa & low);
      }
    }
    return new long[] {first.root, second.root};
  }

  private long tablePage() {
    long flags = w.tableFlags(false);
    return w.chance(0.5) ? flags | SecondStage.D : flags;
  }

  private void fill(Table table) {
    for (int n = w.random.nextInt(2, 7); n > 0 && w.room(8); n--) {
      pages(table, true, address(0, true));
    }
  }

  /** An address, and sometimes its neighbour. */
  private void pages(Table table, boolean first, long address) {
    int level = w.pick(1, 1, 1, 2, 2, 3);
    if (w.chance(0.02)) {
      level = w.pick(table.levels(), 3);
    }
    if (table.put(address, level, leaf(first, level), Word.Kind.DATA)) {
      addresses.add(address);
      if (level > 1) {
        addresses.add(address ^ 0x1000L << w.random.nextInt(9));
      } else if (w.chance(0.5) && table.put(address ^ 4096, 1, leaf(first, 1), Word.Kind.DATA)) {
        addresses.add(address ^ 4096);
      }
    }
  }

  private long leaf(boolean first, int level) {
    return w.frame(3 + 9 * Math.min(level, 3)) | w.leafFlags(first, level);
  }

  private long address(long limit, boolean canonical) {
    if (!addresses.isEmpty() && w.chance(0.5)) {
      return w.pick(addresses) ^ (long) w.random.nextInt(8) << w.pick(12, 21, 30);
    }
    if (canonical) {
      return w.random.nextLong() << 17 >> 17 & ~0xfffL;
    }
    return w.random.nextLong(limit) & ~0xfffL;
  }
}
