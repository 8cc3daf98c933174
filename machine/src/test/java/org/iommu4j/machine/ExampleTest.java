package org.iommu4j.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.machine.description.PlatformDescription;
import org.iommu4j.machine.description.PlatformFile;
import org.iommu4j.machine.reach.Isolation;
import org.iommu4j.machine.scenario.Player;
import org.iommu4j.machine.scenario.StepResult;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The bundled example on every architecture that is present, however much it caches. */
class ExampleTest {
  static List<Settings> everything() {
    return Architecture.all().stream()
        .flatMap(a -> List.of(CacheBehaviour.values()).stream().map(c -> new Settings(a.id(), c)))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("everything")
  void the_example_keeps_its_promises(Settings settings) {
    PlatformDescription d = PlatformFile.example();
    try (Platform platform = Platform.of(d, settings)) {
      List<StepResult> results = new Player(platform).play(d.scenario());
      assertThat(results).allSatisfy(r -> assertThat(r.objections()).isEmpty());
      assertThat(Isolation.of(platform, 100_000).differences()).isEmpty();
      assertThat(platform.targets().getFirst().count(33)).isEqualTo(1);
      assertThat(platform.targets().getLast().count(34)).isEqualTo(1);
    }
  }
}
