package org.iommu4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.iommu4j.conformance.Rows.ref;
import static org.iommu4j.core.iotlb.CacheBehaviour.OFF;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DisputesTest {
  private static final String WRONG = "{'do':'peek','pa':'0x0','hex':'01'}";
  private static final String RIGHT = "{'do':'peek','pa':'0x0','hex':'00'}";

  @TempDir Path folder;

  @Test
  void cases_are_listed_below_their_reason() {
    Disputes disputes =
        Disputes.parse(
            """
            # Disputed

            ```
            - `an/example/1`
            ```
            ## One
            Because.

            - `riscv-ref/a/1`
            - `riscv-ref/a/2`

            ## Another

            Because, too.
            - `riscv-ref/a/3` (with caches)
            """);
    for (CacheBehaviour cache : CacheBehaviour.values()) {
      assertThat(disputes.contains("riscv-ref/a/1", cache)).isTrue();
      assertThat(disputes.contains("riscv-ref/a/2", cache)).isTrue();
      assertThat(disputes.contains("an/example/1", cache)).isFalse();
      assertThat(disputes.contains("riscv-ref/a/3", cache)).isEqualTo(cache != OFF);
      assertThat(disputes.size(cache)).isEqualTo(cache == OFF ? 2 : 3);
    }
  }

  @Test
  void no_case_is_disputed_without_a_reason_or_twice() {
    assertThatThrownBy(() -> Disputes.parse("## One\nBecause.\n## Two\n- `a/1`\n"))
        .hasMessageContaining("a/1 is listed without a reason");
    assertThatThrownBy(() -> Disputes.parse("Because.\n- `a/1`\n- `a/1` (with caches)\n"))
        .hasMessageContaining("a/1 is listed twice");
  }

  @Test
  void the_list_that_is_built_in_is_the_file_that_people_read() throws IOException {
    for (CacheBehaviour cache : CacheBehaviour.values()) {
      assertThat(Disputes.standard().size(cache))
          .isEqualTo(Disputes.parse(Files.readString(Path.of("DISPUTED.md"))).size(cache));
    }
  }

  @Test
  void a_disputed_case_neither_passes_nor_fails() throws IOException {
    Path file =
        Rows.file(
            folder,
            "v.jsonl",
            ref("riscv-ref/t/1", WRONG),
            ref("riscv-ref/t/2", RIGHT),
            ref("riscv-ref/t/3", WRONG));
    Report report =
        Rows.runner(new FakeArchitecture(), Disputes.parse("Because.\n- `riscv-ref/t/1`\n"))
            .run(List.of(file), Conformance.Settings.standard(), Conformance.Progress.NONE);
    FileReport result = report.files().getFirst();
    assertThat(result.disputed()).isEqualTo(1);
    assertThat(result.passed()).isEqualTo(1);
    assertThat(result.failed()).isEqualTo(1);
    assertThat(result.notices()).isEmpty();
    assertThat(ReportText.file(result)).startsWith(file + ": 1 passed, 1 failed, 1 disputed\n");
    assertThat(ReportText.summary(report))
        .isEqualTo(
            "1 disputed, neither passed nor failed: see conformance/DISPUTED.md\n"
                + "1 passed, 1 failed");
  }

  @Test
  void a_disputed_case_that_passes_is_said_to() throws IOException {
    Path file = Rows.file(folder, "v.jsonl", ref("riscv-ref/t/1", RIGHT));
    Report report =
        Rows.runner(new FakeArchitecture(), Disputes.parse("Because.\n- `riscv-ref/t/1`\n"))
            .run(List.of(file), Conformance.Settings.standard(), Conformance.Progress.NONE);
    assertThat(report.files().getFirst().notices())
        .containsExactly("riscv-ref/t/1 is disputed, but passes: take it off DISPUTED.md");
    assertThat(report.exitStatus()).isZero();
  }
}
