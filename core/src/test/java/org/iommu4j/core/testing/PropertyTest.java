package org.iommu4j.core.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PropertyTest {
  @Test
  void a_failing_sequence_shrinks_to_the_steps_that_matter() {
    Property<Integer> property =
        Property.ofSequences("no 7 after a 3", 500, 60, Gen.integers(0, 20));
    assertThatThrownBy(
            () ->
                property.holds(
                    steps -> {
                      int three = steps.indexOf(3);
                      if (three >= 0 && steps.lastIndexOf(7) > three) {
                        throw new IllegalStateException("7 after 3");
                      }
                    }))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("-Diommu4j.seed=0x")
        .hasMessageContaining("2 steps")
        .hasMessageContaining("7 after 3")
        .hasCauseInstanceOf(IllegalStateException.class);
  }

  @Test
  void the_same_seed_gives_the_same_steps() {
    Gen<Integer> gen = Gen.anyOf(Gen.integers(0, 9), Gen.oneOf(100, 200));
    List<Integer> once = new ArrayList<>();
    List<Integer> twice = new ArrayList<>();
    var random = Property.random(42);
    var again = Property.random(42);
    for (int i = 0; i < 100; i++) {
      once.add(gen.next(random));
      twice.add(gen.next(again));
    }
    assertThat(once).isEqualTo(twice);
  }

  @Test
  void a_property_that_holds_says_nothing() {
    Property.of("multiples", 200, Gen.multiples(4096, 1L << 40))
        .holdsForEach(v -> assertThat(v % 4096).isZero());
  }
}
