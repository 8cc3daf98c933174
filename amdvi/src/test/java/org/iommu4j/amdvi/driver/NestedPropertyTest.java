package org.iommu4j.amdvi.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.amdvi.layout.GuestPte;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.testing.Gen;
import org.iommu4j.core.testing.Property;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.GuestTable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Guests that change their tables and say so, and a host that moves their memory: what devices
 * reach is always what the two say together.
 */
class NestedPropertyTest {
  private static final int RUNS = 12;
  private static final int STEPS = 40;
  private static final long MEMORY = Rig.DATA + 0x100_0000;
  private static final int RW = Access.READ | Access.WRITE;
  private static final List<Integer> SOURCES = List.of(0x08, 0x09, 0x208);
  private static final List<Integer> PASIDS = List.of(0, 1, 65);
  private static final int GUESTS = 2;
  private static final int ROOTS = 3;

  /** Where the guest's data lies: so many pages from here on; its tables lie below. */
  private static final int DATA = 0x80;

  private static final int PAGES = 24;
  private static final int LEVELS = 4;

  /** Two of one page table, one of another. */
  private static final long[] IOVAS = {0x5000, 0x6000, 0x7f_1234_5000L};

  /** Each root has a page of 2 MiB here that leads to all of the guest's memory. */
  private static final long LARGE = 0x4000_0000;

  static final List<Rig.Builder> RIGS = rigs();

  private static List<Rig.Builder> rigs() {
    List<Rig.Builder> all = new ArrayList<>();
    for (String cache : List.of("normal", "worst-case", "off")) {
      all.add(Rig.with().unit("cache", cache));
      all.add(Rig.with().unit("cache", cache).driver("tables", "host").driver("flush_limit", 0));
      all.add(
          Rig.with()
              .unit("cache", cache)
              .unit("cap_header", "0x1d0b000f")
              .driver("np_cache", true)
              .driver("flush_limit", 1024));
    }
    return all;
  }

  /** One thing that happens. */
  private sealed interface Step {
    /** The host maps the pages of a range that it has not. */
    record HostMap(int page, int count, int target, boolean writable) implements Step {}

    record HostUnmap(int page, int count) implements Step {}

    /** A guest's page table leads elsewhere; nowhere if negative. */
    record Leaf(int root, int iova, int page, boolean writable) implements Step {}

    /** A guest's PASID leads to another page table; to none if negative. */
    record Process(int guest, int pasid, int root) implements Step {}

    /** To nothing if negative. */
    record Attach(int source, int guest) implements Step {}

    record Reopen(int guest) implements Step {}
  }

  private static final Gen<Step> STEP =
      random -> {
        int page = random.nextInt(PAGES);
        int count = Math.min(PAGES - page, 1 << random.nextInt(4));
        int guest = random.nextInt(GUESTS);
        return switch (random.nextInt(12)) {
          case 0, 1, 2 -> new Step.HostMap(page, count, random.nextInt(64), random.nextInt(4) != 0);
          case 3, 4 -> new Step.HostUnmap(page, count);
          case 5, 6, 7 ->
              new Step.Leaf(
                  random.nextInt(ROOTS),
                  random.nextInt(IOVAS.length),
                  random.nextInt(5) == 0 ? -1 : page,
                  random.nextBoolean());
          case 8 -> new Step.Process(guest, random.nextInt(3), random.nextInt(-1, ROOTS));
          case 9, 10 -> new Step.Attach(random.nextInt(3), random.nextInt(-1, GUESTS));
          default -> new Step.Reopen(guest);
        };
      };

  /** The driver and a guest, and beside them what they should come to. */
  private static final class World implements AutoCloseable {
    final Rig rig;
    final GuestMemory memory;
    final Domain parent;
    final Domain[] nested = new Domain[GUESTS];
    final long[] gcr3 = new long[GUESTS];
    final long[] roots = new long[ROOTS];

    /** Physical address of each page, and whether it may be written; 0 if there is none. */
    final long[] host = new long[PAGES];

    final boolean[] hostWritable = new boolean[PAGES];

    final int[][] processes = new int[GUESTS][PASIDS.size()];
    final int[][] leaves = new int[ROOTS][IOVAS.length];
    final boolean[][] writable = new boolean[ROOTS][IOVAS.length];
    final Map<Integer, Integer> attached = new HashMap<>();

    World(Rig rig) {
      this.rig = rig;
      memory = new GuestMemory(rig, MEMORY);
      parent = rig.driver.createDomain(DomainType.NESTING_PARENT);
      parent.map(0, MEMORY, (long) DATA << 12, RW);
      for (int root = 0; root < ROOTS; root++) {
        roots[root] = memory.table();
        for (long iova : IOVAS) {
          memory.entry(roots[root], LEVELS, iova);
        }
        // The entry of a directory: its table is made for another address beside.
        long leaf = memory.entry(roots[root], LEVELS, LARGE + (1 << 21));
        long directory = directory(roots[root]);
        assertThat(leaf).isNotZero();
        memory.write(directory, GuestMemory.PAGE | GuestPte.PS.mask());
        Arrays.fill(leaves[root], -1);
      }
      for (int guest = 0; guest < GUESTS; guest++) {
        gcr3[guest] = memory.table();
        Arrays.fill(processes[guest], -1);
        open(guest);
      }
    }

    private long directory(long root) {
      long table = root;
      for (int level = LEVELS; level > 2; level--) {
        long at = table + ((LARGE >>> 3 + 9 * level & 0x1ff) << 3);
        table = GuestPte.ADDRESS.in(memory.read(at));
      }
      return table + ((LARGE >>> 21 & 0x1ff) << 3);
    }

    private void open(int guest) {
      nested[guest] = rig.driver.createNestedDomain(parent, new GuestTable(gcr3[guest], LEVELS, 9));
    }

    void play(Step step) {
      switch (step) {
        case Step.HostMap m -> {
          for (int i = 0; i < m.count; i++) {
            if (host[m.page + i] != 0) {
              return;
            }
          }
          long pa = MEMORY + (1L << 30) + ((long) m.target << 12);
          parent.map(
              (long) (DATA + m.page) << 12,
              pa,
              (long) m.count << 12,
              m.writable ? RW : Access.READ);
          for (int i = 0; i < m.count; i++) {
            host[m.page + i] = pa + ((long) i << 12);
            hostWritable[m.page + i] = m.writable;
          }
        }
        case Step.HostUnmap u -> {
          parent.unmap((long) (DATA + u.page) << 12, (long) u.count << 12);
          Arrays.fill(host, u.page, u.page + u.count, 0);
        }
        case Step.Leaf l -> {
          long entry = (long) (DATA + l.page) << 12 | GuestMemory.PAGE;
          long value = l.writable ? entry : entry & ~GuestPte.RW.mask();
          long iova = IOVAS[l.iova];
          memory.write(memory.entry(roots[l.root], LEVELS, iova), l.page < 0 ? 0 : value);
          leaves[l.root][l.iova] = l.page;
          writable[l.root][l.iova] = l.writable;
          for (Domain d : nested) {
            PASIDS.forEach(pasid -> d.invalidate(pasid, iova, 0x1000, true));
          }
        }
        case Step.Process p -> {
          int pasid = PASIDS.get(p.pasid);
          memory.process(gcr3[p.guest], 1, pasid, p.root < 0 ? 0 : roots[p.root]);
          processes[p.guest][p.pasid] = p.root;
          nested[p.guest].invalidate(pasid, 0, 0, false);
        }
        case Step.Attach a -> {
          int source = SOURCES.get(a.source);
          if (a.guest >= 0) {
            nested[a.guest].attach(source);
            attached.put(source, a.guest);
          } else if (attached.containsKey(source)) {
            nested[attached.remove(source)].detach(source);
          }
        }
        case Step.Reopen r -> {
          nested[r.guest].close();
          attached.values().removeIf(g -> g == r.guest);
          open(r.guest);
        }
      }
    }

    void check() {
      for (int source : SOURCES) {
        for (int pasid = -1; pasid < PASIDS.size(); pasid++) {
          Integer guest = attached.get(source);
          int root = guest == null ? -1 : processes[guest][Math.max(pasid, 0)];
          for (int i = 0; i < IOVAS.length; i++) {
            boolean mapped = root >= 0 && leaves[root][i] >= 0;
            check(
                source,
                pasid,
                IOVAS[i],
                mapped ? leaves[root][i] : -1,
                mapped && writable[root][i]);
          }
          for (int page = 0; page < PAGES; page += 5) {
            long iova = LARGE + ((long) (DATA + page) << 12);
            check(source, pasid, iova, root >= 0 ? page : -1, true);
          }
        }
      }
      rig.newFaults();
    }

    private void check(int source, int pasid, long iova, int page, boolean guestWrites) {
      long pa = page < 0 ? 0 : host[page];
      for (int access : List.of(Access.READ, Access.WRITE)) {
        boolean expected = pa != 0 && (access == Access.READ || guestWrites && hostWritable[page]);
        int id = pasid < 0 ? DmaRequest.NO_PASID : PASIDS.get(pasid);
        String what =
            "device 0x%x PASID %d %s of 0x%x".formatted(source, id, Access.describe(access), iova);
        assertThat(rig.translate(source, id, iova, access)).as(what).isEqualTo(expected);
        if (expected) {
          assertThat(rig.translation.pa()).as(what).isEqualTo(pa);
        }
      }
    }

    @Override
    public void close() {
      rig.close();
    }
  }

  @ParameterizedTest
  @FieldSource("RIGS")
  void devices_reach_what_guest_and_host_say_together(Rig.Builder rig) {
    Property.ofSequences("nested " + rig, RUNS, STEPS, STEP)
        .holds(
            steps -> {
              try (World world = new World(rig.build())) {
                for (int i = 0; i < SOURCES.size(); i++) {
                  world.play(new Step.Attach(i, i % GUESTS));
                }
                for (int i = 0; i < GUESTS * PASIDS.size(); i++) {
                  world.play(new Step.Process(i % GUESTS, i / GUESTS, i % ROOTS));
                }
                for (Step s : steps) {
                  world.play(s);
                  world.check();
                }
              }
            });
  }
}
