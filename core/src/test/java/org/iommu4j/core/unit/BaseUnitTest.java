package org.iommu4j.core.unit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BaseUnitTest {
  private final PhysicalMemory memory = new PhysicalMemory();
  private final ToyUnit unit = new ToyUnit(memory);

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void a_translation_gets_a_workspace_of_its_own() {
    Translation one = new Translation();
    Translation other = new Translation();
    ToyUnit.Workspace w = unit.attach(one);
    assertThat(one.workspace()).isSameAs(w);
    assertThat(unit.attach(other)).isNotSameAs(w);
    assertThat(one.workspace()).isSameAs(w);
  }

  @Test
  void a_translation_that_several_units_use_keeps_the_workspace_of_each() {
    ToyUnit second = new ToyUnit(memory);
    ToyUnit third = new ToyUnit(memory);
    Translation out = new Translation();
    ToyUnit.Workspace own = unit.attach(out);
    ToyUnit.Workspace ofSecond = second.attach(out);
    ToyUnit.Workspace ofThird = third.attach(out);
    for (int n = 0; n < 3; n++) {
      assertThat(unit.attach(out)).isSameAs(own);
      assertThat(out.workspace()).isSameAs(own);
      assertThat(third.attach(out)).isSameAs(ofThird);
      assertThat(second.attach(out)).isSameAs(ofSecond);
    }
  }

  @Test
  void a_translation_forgets_units_that_it_was_not_used_with_for_long() {
    Translation out = new Translation();
    ToyUnit.Workspace own = unit.attach(out);
    ToyUnit[] others = new ToyUnit[16];
    for (int n = 0; n < 16; n++) {
      others[n] = new ToyUnit(memory);
      others[n].attach(out);
    }
    ToyUnit.Workspace latest = (ToyUnit.Workspace) out.workspace();
    assertThat(unit.attach(out)).isNotSameAs(own);
    assertThat(others[15].attach(out)).isSameAs(latest);
  }

  @Test
  void counters_of_all_workspaces_are_summed() {
    for (int n = 1; n <= 3; n++) {
      ToyUnit.Workspace w = unit.attach(new Translation());
      count(n, w::countHit);
      count(10 * n, w::countMiss);
      count(100 * n, w::countFault);
    }
    unit.iotlb().fill(unit.iotlb().generation(), 1, 0x1000, 12, 1);
    assertThat(unit.statistics())
        .containsExactly(
            Map.entry("iotlb.hits", 6L),
            Map.entry("iotlb.misses", 60L),
            Map.entry("iotlb.entries", 1L),
            Map.entry("faults", 600L));
  }

  private static void count(int times, Runnable counter) {
    for (int i = 0; i < times; i++) {
      counter.run();
    }
  }

  @Test
  void what_a_workspace_counted_stays_when_its_translation_gets_another() {
    Translation out = new Translation();
    count(5, unit.attach(out)::countHit);
    count(2, unit.attach(out)::countHit);
    assertThat(unit.statistics()).containsEntry("iotlb.hits", 7L);
  }

  @Test
  void a_port_that_closes_leaves_its_counts_and_no_workspace() {
    DmaPort port = new DmaPort(unit, memory, 8);
    Translation out = port.translation();
    ToyUnit other = new ToyUnit(memory);
    ToyUnit.Workspace own = unit.attach(out);
    ToyUnit.Workspace others = other.attach(out);
    count(5, own::countHit);
    count(3, others::countFault);
    port.close();
    assertThat(unit.statistics()).containsEntry("iotlb.hits", 5L);
    assertThat(unit.attach(out)).isNotSameAs(own);
    assertThat(other.attach(out)).isSameAs(others);
    other.release(out);
    other.release(out);
    assertThat(other.statistics()).containsEntry("faults", 3L);
    unit.release(out);
    assertThat(out.workspace()).isNull();
    assertThat(unit.statistics()).containsEntry("iotlb.hits", 5L);
  }

  @Test
  void an_architecture_can_add_its_own_statistics() {
    Map<String, Long> all = unit.statistics();
    all.put("walk-cache.entries", 9L);
    assertThat(all).containsEntry("walk-cache.entries", 9L).hasSize(5);
  }

  @Test
  void threads_forget_what_they_kept_when_caches_change() {
    var recent = unit.attach(new Translation()).recent();
    recent.keep(unit.epoch(), 8, 0x1000, 0x8000_0000L, Translation.answer(12, 7, 0));
    assertThat(recent.lookup(unit.epoch(), 8, 0x1000)).isNotNull();
    unit.cachesChanged();
    assertThat(recent.lookup(unit.epoch(), 8, 0x1000)).isNull();
  }
}
