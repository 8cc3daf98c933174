package org.iommu4j.core.dma;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class WorkspacesTest {
  private static final class Scratch {
    long hits;
    long misses;
    long faults;
  }

  private final Workspaces<Scratch> workspaces = new Workspaces<>(Scratch::new);

  private Map<String, Long> statistics(int entries) {
    return workspaces.statistics(w -> w.hits, w -> w.misses, w -> w.faults, entries);
  }

  @Test
  void a_translation_gets_a_workspace_of_its_own() {
    Translation one = new Translation();
    Translation other = new Translation();
    Scratch w = workspaces.attach(one);
    assertThat(one.workspace()).isSameAs(w);
    assertThat(workspaces.attach(other)).isNotSameAs(w);
    assertThat(one.workspace()).isSameAs(w);
  }

  @Test
  void counters_of_all_workspaces_are_summed() {
    for (int n = 1; n <= 3; n++) {
      Scratch w = workspaces.attach(new Translation());
      w.hits = n;
      w.misses = 10L * n;
      w.faults = 100L * n;
    }
    assertThat(statistics(7))
        .containsExactly(
            Map.entry("iotlb.hits", 6L),
            Map.entry("iotlb.misses", 60L),
            Map.entry("iotlb.entries", 7L),
            Map.entry("faults", 600L));
  }

  @Test
  void what_a_workspace_counted_stays_when_its_translation_gets_another() {
    Translation out = new Translation();
    workspaces.attach(out).hits = 5;
    workspaces.attach(out).hits = 2;
    assertThat(statistics(0)).containsEntry("iotlb.hits", 7L);
  }

  @Test
  void a_unit_can_add_its_own() {
    Map<String, Long> all = statistics(0);
    all.put("walk-cache.entries", 9L);
    assertThat(all).containsEntry("walk-cache.entries", 9L).hasSize(5);
  }
}
