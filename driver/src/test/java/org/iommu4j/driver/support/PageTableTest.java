package org.iommu4j.driver.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.testing.Gen;
import org.iommu4j.core.testing.IntervalMap;
import org.iommu4j.core.testing.Property;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.FrameAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class PageTableTest {
  private static final int RW = Access.READ | Access.WRITE;

  /** Small tables, so that few steps meet many of them; with and without groups. */
  static final List<ToyFormat> FORMATS =
      List.of(
          new ToyFormat(3, 6, PageSizes.of(12, 18, 24)),
          new ToyFormat(4, 6, PageSizes.of(12, 16, 18, 24)),
          new ToyFormat(4, 5, PageSizes.of(12, 14)),
          new ToyFormat(4, 6, PageSizes.of(12, 13, 16, 18, 19, 24, 26, 30)),
          new ToyFormat(5, 5, PageSizes.of(12, 22)),
          new ToyFormat(1, 9, PageSizes.of(12)));

  private sealed interface Step {}

  private record Map1(long iova, long pa, long size, int permissions) implements Step {
    @Override
    public String toString() {
      return "map 0x%x -> 0x%x, 0x%x bytes, %s"
          .formatted(iova, pa, size, Access.permissions(permissions));
    }
  }

  private record Unmap(long iova, long size) implements Step {
    @Override
    public String toString() {
      return "unmap 0x%x, 0x%x bytes".formatted(iova, size);
    }
  }

  /** A table in memory, everything that a cache may hold of it, and what it should say. */
  private static final class Bench implements AutoCloseable {
    final PhysicalMemory memory = new PhysicalMemory();
    final FrameAllocator frames;
    final ToyFormat format;
    final PageTable table;
    final IntervalMap oracle = new IntervalMap();

    /** Level and first address to entry: what hardware may still believe. */
    final Map<List<Long>, Long> cache = new HashMap<>();

    Bench(ToyFormat format, long frameBytes) {
      this.format = format;
      memory.addAnonymous(0x10_0000, frameBytes);
      frames = new FrameAllocator(memory, 0x10_0000, frameBytes);
      table = new PageTable(memory, frames, format, format.pageSizes(), this::forget);
    }

    /**
     * Invalidates in the worst order that is allowed: pages first, then the ways to tables, range
     * by range; and in between, what the remaining ways lead to is cached again.
     */
    void forget(Gather gather) {
      for (boolean page : new boolean[] {true, false}) {
        for (int i = 0; i < gather.ranges(); i++) {
          forget(gather, i, page);
          refill();
        }
      }
      if (gather.everything()) {
        cache.clear();
      }
    }

    private void forget(Gather gather, int i, boolean pages) {
      cache
          .entrySet()
          .removeIf(
              e -> {
                int level = e.getKey().get(0).intValue();
                boolean page = (e.getValue() & ToyFormat.PAGE) != 0;
                int shift = page ? format.leafShift(e.getValue(), level) : format.shift(level);
                long first = e.getKey().get(1) >>> shift << shift;
                long last = first + (1L << shift) - 1;
                return page == pages
                    && (page || gather.isTable(i))
                    && first <= gather.last(i)
                    && gather.first(i) <= last;
              });
    }

    private void refill() {
      for (Map.Entry<List<Long>, Long> e : List.copyOf(cache.entrySet())) {
        if ((e.getValue() & ToyFormat.PAGE) == 0) {
          int level = e.getKey().get(0).intValue() - 1;
          for (int i = 0; i < 1 << format.bits(); i++) {
            long entry = memory.readLong((e.getValue() & ToyFormat.ADDRESS) + 8L * i);
            if (entry != 0) {
              long first = e.getKey().get(1) + ((long) i << format.shift(level));
              cache.putIfAbsent(List.of((long) level, first), entry);
            }
          }
        }
      }
    }

    /** All that hardware can read now: entries into {@code found}, pages as runs. */
    List<IntervalMap.Run> read() {
      List<IntervalMap.Run> runs = new ArrayList<>();
      Map<List<Long>, Long> found = new HashMap<>();
      read(table.root(), format.levels() - 1, 0, runs, found);
      IntervalMap whole = new IntervalMap();
      oracle.runs().forEach(r -> whole.map(r.start(), r.size(), r.target(), r.permissions()));
      cache.forEach((key, entry) -> checkFresh(key, entry, found, whole));
      cache.putAll(found);
      return IntervalMap.joined(runs);
    }

    private void read(
        long at, int level, long base, List<IntervalMap.Run> runs, Map<List<Long>, Long> found) {
      for (int i = 0; i < 1 << format.bits(); i++) {
        long entry = memory.readLong(at + 8L * i);
        long first = base + ((long) i << format.shift(level));
        if (entry == 0) {
          continue;
        }
        found.put(List.of((long) level, first), entry);
        if ((entry & ToyFormat.PAGE) == 0) {
          read(entry & ToyFormat.ADDRESS, level - 1, first, runs, found);
        } else {
          long page = 1L << format.leafShift(entry, level);
          long span = 1L << format.shift(level);
          long offset = first & (page - 1);
          runs.add(
              new IntervalMap.Run(
                  first,
                  Math.min(page, span),
                  format.address(entry, level) + offset,
                  ToyFormat.permissions(entry)));
        }
      }
    }

    /** A cached way to a table is still the way; a cached page is still mapped so, all of it. */
    private void checkFresh(
        List<Long> key, long entry, Map<List<Long>, Long> found, IntervalMap whole) {
      int level = key.get(0).intValue();
      long first = key.get(1);
      String what = "level %d at 0x%x: %x is cached".formatted(level, first, entry);
      if ((entry & ToyFormat.PAGE) == 0) {
        assertThat(found.get(key)).as(what).isEqualTo(entry);
      } else {
        long page = 1L << format.leafShift(entry, level);
        IntervalMap.Run run = whole.at(first & -page);
        assertThat(run).as(what).isNotNull();
        assertThat(run.end()).as(what).isGreaterThanOrEqualTo((first & -page) + page);
        assertThat(whole.target(first & -page)).as(what).isEqualTo(format.address(entry, level));
        assertThat(run.permissions()).as(what).isEqualTo(ToyFormat.permissions(entry));
      }
    }

    void play(Step step) {
      switch (step) {
        case Map1 m -> {
          if (oracle.overlaps(m.iova, m.size)) {
            long before = table.mapped();
            assertThatThrownBy(() -> table.map(m.iova, m.pa, m.size, m.permissions))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is mapped already");
            assertThat(table.mapped()).isEqualTo(before);
          } else {
            table.map(m.iova, m.pa, m.size, m.permissions);
            oracle.map(m.iova, m.size, m.pa, m.permissions);
          }
        }
        case Unmap u -> {
          Gather gather = new Gather();
          assertThat(table.unmap(u.iova, u.size, gather)).isEqualTo(oracle.unmap(u.iova, u.size));
          forget(gather);
          gather.completed(frames);
        }
      }
    }

    @Override
    public void close() {
      memory.close();
    }
  }

  private static Gen<Step> steps(ToyFormat format) {
    int spanBits = format.shift(format.levels() - 1) + format.bits();
    int most = Math.min(spanBits, 64 - Long.numberOfLeadingZeros(format.pageSizes()) + 3);
    int sizeBits = Math.clamp(most, 20, 27);
    return random -> {
      // Few places, with sizes and offsets of all orders: neighbours, overlaps, whole tables.
      long size = size(random, sizeBits);
      long room = (1L << spanBits) - size;
      long align = 1L << random.nextInt(12, sizeBits);
      long iova = random.nextLong(Math.min(room, 1L << sizeBits + 1) + 1) & -align;
      if (random.nextBoolean()) {
        long pa = random.nextInt(4) == 0 ? iova + 4096 : iova + (random.nextLong(16) << 30);
        int permissions = random.nextInt(4) == 0 ? Access.READ : RW;
        return new Map1(iova, pa, size, permissions);
      }
      return new Unmap(iova, size);
    };
  }

  private static long size(RandomGenerator random, int bits) {
    long size = random.nextLong(1L << random.nextInt(0, bits - 11)) + 1 << 12;
    return Math.min(random.nextInt(3) == 0 ? Long.highestOneBit(size) : size, 1L << bits - 1);
  }

  @ParameterizedTest
  @FieldSource("FORMATS")
  void any_sequence_equals_an_interval_map_and_leaves_nothing_stale(ToyFormat format) {
    Property.ofSequences("page table " + format, 30, 40, steps(format))
        .holds(
            sequence -> {
              try (Bench b = new Bench(format, 64 << 20)) {
                for (Step s : sequence) {
                  b.play(s);
                  assertThat(b.read()).isEqualTo(b.oracle.runs());
                  assertThat(b.table.mapped()).isEqualTo(b.oracle.mapped());
                  for (IntervalMap.Run r : b.oracle.runs()) {
                    assertThat(b.table.translate(r.start())).isEqualTo(r.target());
                    long last = r.end() - 1;
                    assertThat(b.table.translate(last)).isEqualTo(r.target() + r.size() - 1);
                  }
                }
                b.table.free();
                assertThat(b.frames.inUse()).isZero();
              }
            });
  }

  @ParameterizedTest
  @FieldSource("FORMATS")
  void without_memory_for_tables_nothing_changes(ToyFormat format) {
    try (Bench b = new Bench(format, 1 << 16)) {
      b.play(new Map1(0x3000, 0x7000, 0x1000, RW));
      long table = 8L << format.bits();
      long used = b.frames.inUse();
      assertThatThrownBy(
              () -> {
                while (true) {
                  b.frames.allocate(table);
                }
              })
          .isInstanceOf(DriverException.class)
          .hasMessageContaining("no more table memory");
      if (format.levels() > 1) {
        b.frames.free(0x10_0000 + (1 << 16) - table, table); // one is left, more are needed
        long span = 1L << format.shift(format.levels() - 1);
        assertThatThrownBy(() -> b.table.map(3 * span - 0x1000, 0x1000, 0x2000, RW))
            .isInstanceOf(DriverException.class);
      }
      assertThat(b.read()).isEqualTo(b.oracle.runs());
      b.table.free();
      assertThat(b.frames.inUse()).isEqualTo((1 << 16) - used - (format.levels() > 1 ? table : 0));
    }
  }

  @ParameterizedTest
  @FieldSource("FORMATS")
  void the_rest_of_a_split_page_stays_mapped_at_every_moment(ToyFormat format) throws Exception {
    long page = Long.highestOneBit(format.pageSizes());
    long hole = page / 2 & -4096;
    if (page == 4096) {
      return;
    }
    try (Bench b = new Bench(format, 64 << 20)) {
      AtomicBoolean stop = new AtomicBoolean();
      AtomicLong missed = new AtomicLong();
      AtomicLong current = new AtomicLong();
      b.table.map(0, 0, page, RW);
      Thread device =
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!stop.get()) {
                      long base = current.get();
                      missed.addAndGet(walk(b, base) ? 0 : 1);
                      missed.addAndGet(walk(b, base + page - 4096) ? 0 : 1);
                    }
                  });
      long span = 1L << format.shift(format.levels() - 1) + format.bits();
      for (long at = page; at < Math.min(span, 256 * page); at += page) {
        b.table.map(at, at, page, RW);
        current.set(at);
        assertThat(b.table.unmap(at + hole, 4096, new Gather())).isEqualTo(4096);
      }
      stop.set(true);
      device.join();
      assertThat(missed).hasValue(0);
    }
  }

  private static boolean walk(Bench b, long iova) {
    long at = b.table.root();
    for (int level = b.format.levels() - 1; ; level--) {
      long index = iova >>> b.format.shift(level) & ((1L << b.format.bits()) - 1);
      long entry = b.memory.readLong(at + 8 * index);
      if (entry == 0 || (entry & ToyFormat.PAGE) != 0) {
        return entry != 0;
      }
      at = entry & ToyFormat.ADDRESS;
    }
  }

  @ParameterizedTest
  @FieldSource("FORMATS")
  void bits_that_hardware_set_survive_a_split(ToyFormat format) {
    long page = Long.highestOneBit(format.pageSizes() & ((1L << 31) - 1));
    if (page == 4096) {
      return;
    }
    try (Bench b = new Bench(format, 64 << 20)) {
      b.table.map(0, 0, page, RW);
      touch(b, b.table.root(), format.levels() - 1);
      b.table.unmap(page - 4096, 4096, new Gather());
      long at = b.table.root();
      long entry;
      int level = format.levels() - 1;
      while (((entry = b.memory.readLong(at)) & ToyFormat.PAGE) == 0) {
        at = entry & ToyFormat.ADDRESS;
        level--;
      }
      assertThat(entry & ToyFormat.TOUCHED).as("level %d", level).isNotZero();
    }
  }

  private static void touch(Bench b, long at, int level) {
    for (int i = 0; i < 1 << b.format.bits(); i++) {
      long entry = b.memory.readLong(at + 8L * i);
      if ((entry & ToyFormat.PAGE) != 0) {
        b.memory.writeLong(at + 8L * i, entry | ToyFormat.TOUCHED);
      } else if (entry != 0) {
        touch(b, entry & ToyFormat.ADDRESS, level - 1);
      }
    }
  }

  @Test
  void what_could_not_be_forgotten_is_forgotten_before_anything_else_is_mapped() {
    ToyFormat format = FORMATS.getFirst();
    AtomicBoolean broken = new AtomicBoolean(true);
    AtomicLong tables = new AtomicLong();
    try (PhysicalMemory memory = new PhysicalMemory()) {
      memory.addAnonymous(0x10_0000, 1 << 20);
      FrameAllocator frames = new FrameAllocator(memory, 0x10_0000, 1 << 20);
      Invalidator invalidator =
          gather -> {
            if (broken.get()) {
              throw new DriverException("the unit hangs");
            }
            tables.addAndGet(gather.hasTables() ? 1 : 0);
          };
      PageTable table = new PageTable(memory, frames, format, format.pageSizes(), invalidator);
      table.map(0, 0, 0x1000, RW);
      Gather gather = new Gather();
      table.unmap(0, 0x1000, gather);
      gather.completed(frames);
      // The empty table has to make way for a large page; caches may hold the way to it.
      assertThatThrownBy(() -> table.map(0, 0, 1 << 18, RW)).isInstanceOf(DriverException.class);
      broken.set(false);
      table.map(0, 0, 1 << 18, RW);
      assertThat(tables).hasValue(1);
      table.free();
      assertThat(frames.inUse()).isZero();
    }
  }
}
