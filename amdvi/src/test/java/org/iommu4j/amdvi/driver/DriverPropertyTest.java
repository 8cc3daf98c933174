package org.iommu4j.amdvi.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.testing.Gen;
import org.iommu4j.core.testing.Property;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Any sequence of driver calls and DMA comes out as an interval map says: with caches that keep all
 * they may, with host tables and with guest tables, and on units that lack things.
 */
class DriverPropertyTest {
  private static final int RUNS = 20;
  private static final int STEPS = 50;

  /** What the driver and its unit are made of, all with all cache behaviours. */
  static final List<Rig.Builder> RIGS = rigs();

  private static List<Rig.Builder> rigs() {
    List<Rig.Builder> all = new ArrayList<>();
    for (String cache : List.of("normal", "worst-case", "off")) {
      all.add(Rig.with().unit("cache", cache));
      all.add(Rig.with().unit("cache", cache).driver("tables", "host"));
      all.add(Rig.with().unit("cache", cache).driver("flush_limit", 0));
      all.add(Rig.with().unit("cache", cache).driver("tables", "host").driver("flush_limit", 2));
      all.add(Rig.with().unit("cache", cache).driver("tables", "host").driver("levels", 3));
      all.add(Rig.with().unit("cache", cache).driver("pasid_bits", 7));
      all.add(
          Rig.with()
              .efr(ExtendedFeatures.GATS, 1)
              .efr(ExtendedFeatures.HATS, 1)
              .unit("cache", cache)
              .driver("levels", 5));
      all.add(
          Rig.with().unit("cache", cache).driver("tables", "host").driver("page_sizes", 0x1000));
      // The least that is of use: host tables, PASIDs unknown, short interrupt entries.
      all.add(
          Rig.with()
              .efr(ExtendedFeatures.GT_SUP, 0)
              .efr(ExtendedFeatures.GIO_SUP, 0)
              .efr(ExtendedFeatures.GA_SUP, 0)
              .efr(ExtendedFeatures.IA_SUP, 0)
              .efr(ExtendedFeatures.XT_SUP, 0)
              .unit("cache", cache));
    }
    return all;
  }

  private static final Gen<Long> IOVAS =
      random -> {
        // Few places of each order, so that steps meet; below the interrupt range and above it.
        long at = random.nextLong(3) << 30 | random.nextLong(3) << 21 | random.nextLong(3) << 16;
        long high = random.nextInt(4) == 0 ? 1L << 37 : 0;
        return high + (random.nextInt(8) == 0 ? at + 0x12_3000 : at | random.nextLong(4) << 12);
      };

  private static long size(RandomGenerator random) {
    return switch (random.nextInt(5)) {
      case 0 -> 0x1000;
      case 1 -> random.nextLong(1, 40) << 12;
      case 2 -> 1L << random.nextInt(12, 23);
      case 3 -> random.nextLong(1, 5) << 21;
      default -> 1L << 30;
    };
  }

  private static final Gen<Step> STEP =
      random -> {
        int domain = random.nextInt(World.DOMAINS);
        int source = World.SOURCES.get(random.nextInt(World.SOURCES.size()));
        int pasid = random.nextBoolean() ? 1 : 65;
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
  void taking_it_all_down_blocks_everything(Rig.Builder rig) {
    Property.ofSequences("close " + rig, 3, STEPS, STEP)
        .holds(
            steps -> {
              try (World world = new World(rig.build())) {
                steps.forEach(world::play);
                world.rig.driver.close();
                assertThat(world.rig.translate(World.SOURCES.getFirst(), 0, Access.READ)).isFalse();
                assertThatThrownBy(world.rig.driver::start)
                    .isInstanceOf(IllegalStateException.class);
              }
            });
  }
}
