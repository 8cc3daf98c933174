package org.iommu4j.machine.measure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.driver.Workload;
import org.junit.jupiter.api.Test;

class MeasurementTest {
  @Test
  void every_architecture_has_the_portable_figures_and_its_own() {
    List<String> names =
        Measurement.workloads().stream().map(w -> w.architecture() + "." + w.name()).toList();
    for (String architecture : List.of("fake", "riscv")) {
      for (String figure :
          List.of("iotlb-hit", "dma-read-8", "random-4096", "walk", "map-4k", "map-256x4k")) {
        assertThat(names).contains(architecture + "." + figure);
      }
    }
    assertThat(names).contains("riscv.nested-random-4096").doesNotHaveDuplicates();
  }

  @Test
  void every_workload_of_riscv_runs() {
    List<Workload> workloads =
        Measurement.workloads().stream().filter(w -> w.architecture().equals("riscv")).toList();
    List<String> told = new ArrayList<>();
    List<Figure> figures =
        Measurement.measure(workloads, 0.02 * workloads.size(), w -> told.add(w.name()));
    assertThat(told).hasSameSizeAs(workloads);
    assertThat(figures)
        .allSatisfy(
            f -> {
              assertThat(f.nanos()).as(f.name()).isPositive();
              assertThat(f.description()).hasSizeLessThanOrEqualTo(41);
            });
    Figure walk =
        figures.stream().filter(f -> f.name().equals("riscv.walk")).findFirst().orElseThrow();
    assertThat(walk.bareNanos()).isPositive(); // too short a run to compare the two
  }
}
