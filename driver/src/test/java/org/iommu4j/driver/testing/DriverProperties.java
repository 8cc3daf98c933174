package org.iommu4j.driver.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.function.BiFunction;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.testing.Property;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Any sequence of driver calls and DMA comes out as an interval map says. An architecture's own
 * test has a static field {@code RIGS}: a list of what drivers and units are made of.
 */
public abstract class DriverProperties {
  private static final int STEPS = 50;

  private final int runs;
  private final Places places;
  private final BiFunction<DriverRig, Places, DriverWorld> worlds;

  protected DriverProperties(
      int runs, Places places, BiFunction<DriverRig, Places, DriverWorld> worlds) {
    this.runs = runs;
    this.places = places;
    this.worlds = worlds;
  }

  /** What else is true of a rig whose driver was closed. */
  protected void checkClosed(DriverRig rig) {}

  @ParameterizedTest
  @FieldSource("RIGS")
  public void any_sequence_equals_an_interval_map(DriverRig.Builder<?> rig) {
    Property.ofSequences("driver " + rig, runs, STEPS, places)
        .holds(
            steps -> {
              try (DriverWorld world = worlds.apply(rig.build(), places)) {
                for (Step s : steps) {
                  world.play(s);
                  world.check();
                }
              }
            });
  }

  @ParameterizedTest
  @FieldSource("RIGS")
  public void taking_it_all_down_blocks_everything(DriverRig.Builder<?> builder) {
    Property.ofSequences("close " + builder, 3, STEPS, places)
        .holds(
            steps -> {
              DriverRig rig = builder.build();
              try (DriverWorld world = worlds.apply(rig, places)) {
                steps.forEach(world::play);
                rig.driver.close();
                checkClosed(rig);
                assertThat(rig.translate(places.sources().getFirst(), 0, Access.READ)).isFalse();
                assertThatThrownBy(rig.driver::start).isInstanceOf(IllegalStateException.class);
              }
            });
  }
}
