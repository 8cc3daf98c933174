package org.iommu4j.riscv.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.testing.Gen;
import org.iommu4j.core.testing.Property;
import org.iommu4j.riscv.layout.Capabilities;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Any sequence of driver calls and DMA comes out as an interval map says: with caches that keep all
 * they may, in every page-table mode, both formats of device contexts, and units that lack things.
 */
class DriverPropertyTest {
  private static final int RUNS = 25;
  private static final int STEPS = 50;

  /** What the driver and its unit are made of, all with all cache behaviours. */
  static final List<Rig.Builder> RIGS = rigs();

  private static List<Rig.Builder> rigs() {
    List<Rig.Builder> all = new ArrayList<>();
    for (String cache : List.of("normal", "worst-case", "off")) {
      all.add(Rig.with().unit("cache", cache));
      // The least that is of use: Sv39, base format, one directory level, no PASIDs, NL or S.
      all.add(
          Rig.with()
              .capabilities(Rig.BASE, Capabilities.SV39)
              .unit("max_iommu_mode", 2)
              .unit("cache", cache));
      all.add(
          Rig.with()
              .capabilities(
                  Rig.BASE, Capabilities.SV39, Capabilities.SV48, Capabilities.NL, Capabilities.PD8)
              .unit("max_iommu_mode", 3)
              .unit("cache", cache)
              .driver("flush_limit", 3));
      all.add(
          Rig.with()
              .capabilities(
                  Rig.BASE,
                  Capabilities.SV39,
                  Capabilities.S,
                  Capabilities.MSI_FLAT,
                  Capabilities.SV39X4,
                  Capabilities.PD17,
                  Capabilities.AMO_HWAD)
              .unit("cache", cache)
              .driver("ad", "hardware")
              .driver("pdt", "always"));
      all.add(Rig.with().unit("cache", cache).driver("stage", "second"));
      all.add(
          Rig.with()
              .capabilities(Rig.BASE, Capabilities.SV39X4)
              .unit("cache", cache)
              .driver("flush_limit", 0));
      all.add(Rig.with().unit("cache", cache).driver("stage", "second").driver("mode", "sv48"));
      all.add(Rig.with().unit("cache", cache).driver("stage", "nested"));
      all.add(
          Rig.with()
              .unit("cache", cache)
              .driver("stage", "nested")
              .driver("mode", "sv39")
              .driver("ad", "hardware"));
      all.add(Rig.with().unit("cache", cache).driver("page_sizes", 0x1000));
    }
    return all;
  }

  private static final Gen<Long> IOVAS =
      random -> {
        // Few places of each order, so that steps meet.
        long at = random.nextLong(4) << 30 | random.nextLong(3) << 21 | random.nextLong(3) << 16;
        return random.nextInt(8) == 0 ? at + 0x12_3000 : at | random.nextLong(4) << 12;
      };

  private static long size(RandomGenerator random) {
    return switch (random.nextInt(5)) {
      case 0 -> 0x1000;
      case 1 -> random.nextLong(1, 40) << 12;
      case 2 -> 1L << random.nextInt(12, 23);
      case 3 -> random.nextLong(1, 5) << 21;
      default -> random.nextLong(1, 3) << 30;
    };
  }

  private static final Gen<Step> STEP =
      random -> {
        int domain = random.nextInt(World.DOMAINS);
        int source = World.SOURCES.get(random.nextInt(World.SOURCES.size()));
        int pasid = random.nextInt(1, 4);
        long iova = IOVAS.next(random);
        long size = size(random);
        return switch (random.nextInt(15)) {
          case 0, 1, 2, 3 -> {
            long pa = random.nextInt(3) == 0 ? 0x1_0000_1000L : 0x1_0000_0000L;
            int permissions =
                switch (random.nextInt(4)) {
                  case 0 -> Access.READ;
                  case 1 -> Access.READ | Access.EXECUTE;
                  case 2 -> Access.WRITE;
                  default -> Access.READ | Access.WRITE;
                };
            yield new Step.Map(domain, iova, pa + iova, size, permissions);
          }
          case 4, 5 -> new Step.Unmap(domain, List.of(iova), size);
          case 6 ->
              new Step.Unmap(domain, List.of(iova, IOVAS.next(random), IOVAS.next(random)), size);
          case 7, 8, 9 -> new Step.Attach(source, World.NONE, domain);
          case 10 -> new Step.Detach(source, World.NONE, domain);
          case 11 -> new Step.Attach(source, pasid, domain);
          case 12 -> new Step.Detach(source, pasid, domain);
          case 13 -> new Step.Remap(domain, iova, 0x2_0000_0000L + iova, size);
          default ->
              random.nextInt(3) == 0
                  ? new Step.Reopen(domain)
                  : new Step.Attach(source, pasid, domain);
        };
      };

  @ParameterizedTest
  @FieldSource("RIGS")
  void any_sequence_equals_an_interval_map(Rig.Builder rig) {
    Property.ofSequences("driver " + rig, RUNS, STEPS, STEP)
        .holds(
            steps -> {
              try (World world = new World(rig.build())) {
                for (Step s : steps) {
                  world.play(s);
                  world.check();
                }
              }
            });
  }

  @ParameterizedTest
  @FieldSource("RIGS")
  void taking_it_all_down_leaves_no_table_behind(Rig.Builder rig) {
    Property.ofSequences("close " + rig, 3, STEPS, STEP)
        .holds(
            steps -> {
              try (World world = new World(rig.build())) {
                steps.forEach(world::play);
                world.rig.driver.close();
                assertThat(world.rig.frames.inUse()).isZero();
                assertThat(world.rig.translate(World.SOURCES.getFirst(), 0, Access.READ)).isFalse();
                assertThatThrownBy(world.rig.driver::start)
                    .isInstanceOf(IllegalStateException.class);
              }
            });
  }
}
