package org.iommu4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** All vectors and captures of this repository, one test a file and cache behaviour. */
class VectorsTest {
  private static final Path VECTORS = Path.of("vectors");
  private static final Path CAPTURES = Path.of("captures");

  @TestFactory
  Stream<DynamicContainer> vectors() {
    return everyCache(VECTORS);
  }

  @TestFactory
  Stream<DynamicContainer> captures() {
    return everyCache(CAPTURES);
  }

  private static Stream<DynamicContainer> everyCache(Path folder) {
    return Stream.of(CacheBehaviour.values())
        .map(
            cache ->
                DynamicContainer.dynamicContainer(
                    "cache " + CacheMode.text(cache), files(folder, cache)));
  }

  private static Stream<DynamicTest> files(Path folder, CacheBehaviour cache) {
    return Inputs.under(folder).stream()
        .map(
            input ->
                DynamicTest.dynamicTest(input.path().toString(), () -> run(input.path(), cache)));
  }

  private static void run(Path path, CacheBehaviour cache) {
    Report report =
        Conformance.standard()
            .run(
                List.of(path),
                Conformance.Settings.standard().with(cache),
                Conformance.Progress.NONE);
    FileReport file = report.files().getFirst();
    assertThat(report.exitStatus())
        .as(ReportText.file(file) + (file.error() == null ? "" : file.error()))
        .isZero();
    assertThat(file.notices()).isEmpty();
  }

  /** A folder that lost its files would pass in silence. */
  @Test
  void none_is_missing() {
    assertThat(Inputs.under(VECTORS.resolve("riscv-ref"))).hasSize(69);
    assertThat(Inputs.under(VECTORS.resolve("qemu"))).hasSize(3);
    assertThat(Inputs.under(VECTORS.resolve("spec"))).hasSize(3);
    assertThat(Inputs.under(CAPTURES)).hasSize(8);
  }

  /** A dispute that no file has would be one that was never settled. */
  @Test
  void every_disputed_case_is_there() {
    Report report =
        Conformance.standard()
            .run(List.of(VECTORS), Conformance.Settings.standard(), Conformance.Progress.NONE);
    assertThat(report.files().stream().mapToInt(FileReport::disputed).sum())
        .isEqualTo(Disputes.standard().size(CacheBehaviour.NORMAL));
  }
}
