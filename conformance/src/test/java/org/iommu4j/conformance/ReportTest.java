package org.iommu4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.conformance.Rows.ref;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a run finds, counts and says. */
class ReportTest {
  private static final String WRONG = "{'do':'peek','pa':'0x0','hex':'01'}";
  private static final String RIGHT = "{'do':'peek','pa':'0x0','hex':'00'}";

  @TempDir Path folder;

  private static String right(int n) {
    return ref("riscv-ref/t/" + n, RIGHT);
  }

  private static String wrong(int n) {
    return ref("riscv-ref/t/" + n, WRONG);
  }

  @Test
  void the_exit_status_tells_how_it_went() throws IOException {
    Path good = Rows.file(folder, "good.jsonl", right(1));
    Path bad = Rows.file(folder, "bad.jsonl", wrong(1));
    Path odd = Rows.file(folder, "odd.jsonl", "{}");
    Path empty = Rows.file(folder, "empty.jsonl");
    assertThat(Rows.run(good).exitStatus()).isZero();
    assertThat(Rows.run(good, bad).exitStatus()).isEqualTo(1);
    assertThat(Rows.run(good, odd).exitStatus()).isEqualTo(2);
    assertThat(Rows.run(bad, odd).exitStatus()).isEqualTo(2);
    assertThat(Rows.run(empty).exitStatus()).isEqualTo(2);
    assertThat(Rows.run(folder.resolve("none")).exitStatus()).isEqualTo(2);
  }

  @Test
  void failures_are_described_up_to_the_limit_and_all_are_counted() throws IOException {
    Path file =
        Rows.file(folder, "v.jsonl", wrong(1), right(2), wrong(3), wrong(4), right(5), wrong(6));
    Report report =
        Rows.runner(new FakeArchitecture(), Disputes.none())
            .run(
                List.of(file),
                new Conformance.Settings(CacheBehaviour.NORMAL, id -> true, 2),
                Conformance.Progress.NONE);
    String step = "{\"do\":\"peek\",\"pa\":\"0x0\",\"hex\":\"01\"}";
    assertThat(ReportText.file(report.files().getFirst()))
        .isEqualTo(
            """
            %s: 2 passed, 4 failed
              riscv-ref/t/1  a note
                steps[0] %s
                  memory at 0x0  expected 01  actual 00
              riscv-ref/t/3  a note
                steps[0] %s
                  memory at 0x0  expected 01  actual 00
              ... and 2 more failed (--max-failures shows more)
            """
                .formatted(file, step, step));
    assertThat(ReportText.summary(report)).isEqualTo("2 passed, 4 failed");
  }

  @Test
  void the_filter_chooses_ids() throws IOException {
    Path file = Rows.file(folder, "v.jsonl", wrong(1), right(2), right(22));
    Report report =
        Rows.runner(new FakeArchitecture(), Disputes.none())
            .run(
                List.of(file),
                new Conformance.Settings(CacheBehaviour.NORMAL, id -> id.contains("t/2"), 5),
                Conformance.Progress.NONE);
    assertThat(report.passed()).isEqualTo(2);
    assertThat(report.failed()).isZero();
  }

  @Test
  void units_get_the_cache_behaviour() throws IOException {
    Path file = Rows.file(folder, "v.jsonl", right(1));
    FakeArchitecture architecture = new FakeArchitecture();
    for (CacheBehaviour cache : CacheBehaviour.values()) {
      Rows.runner(architecture, Disputes.none())
          .run(
              List.of(file),
              Conformance.Settings.standard().with(cache),
              Conformance.Progress.NONE);
    }
    assertThat(architecture.caches).containsExactly(CacheBehaviour.values());
  }

  @Test
  void advisory_cases_are_counted_apart() throws IOException {
    String advisory = "\"advisory\":true,\"note\"";
    Path file =
        Rows.file(
            folder,
            "v.jsonl",
            wrong(1).replace("\"note\"", advisory),
            right(2).replace("\"note\"", advisory),
            right(3));
    Report report = Rows.run(file);
    assertThat(report.exitStatus()).isZero();
    assertThat(ReportText.file(report.files().getFirst()))
        .isEqualTo(file + ": 1 passed, 0 failed, 2 advisory (1 as expected)\n");
  }

  @Test
  void folders_are_searched_and_come_in_order() throws IOException {
    Files.createDirectories(folder.resolve("b/c"));
    Rows.file(folder, "z.jsonl", right(1));
    Rows.file(folder.resolve("b/c"), "y.jsonl", right(1));
    Rows.file(folder, "README.md", "not a vector");
    Path deviations = Rows.file(folder, "fake-qemu-deviations.jsonl", wrong(1));
    List<String> heard = new ArrayList<>();
    AtomicInteger cases = new AtomicInteger();
    Report report =
        Rows.runner(new FakeArchitecture(), Disputes.none())
            .run(
                List.of(folder),
                Conformance.Settings.standard(),
                new Conformance.Progress() {
                  @Override
                  public void file(FileReport file) {
                    heard.add(file.name());
                  }

                  @Override
                  public void caseDone() {
                    cases.incrementAndGet();
                  }
                });
    assertThat(heard)
        .containsExactly(
            folder.resolve("b/c/y.jsonl").toString(),
            deviations.toString(),
            folder.resolve("z.jsonl").toString());
    assertThat(cases).hasValue(2);
    assertThat(report.passed()).isEqualTo(2);
    assertThat(report.exitStatus()).isZero();
    assertThat(ReportText.file(report.files().get(1)))
        .startsWith(deviations + ": skipped: ")
        .contains("not truth");
  }

  @Test
  void deviations_are_refused_when_they_are_named() throws IOException {
    Path deviations = Rows.file(folder, "fake-qemu-deviations.jsonl", right(1));
    Report report = Rows.run(deviations);
    assertThat(report.exitStatus()).isEqualTo(2);
    assertThat(report.files().getFirst().error())
        .startsWith(deviations.toString())
        .contains("not truth")
        .contains("run the file without -qemu-deviations instead");
  }

  @Test
  void paths_without_anything_to_run_are_named() throws IOException {
    Path empty = Files.createDirectory(folder.resolve("empty"));
    assertThat(Rows.run(empty).files().getFirst().error())
        .startsWith(empty + ": vector files (*.jsonl, *.jsonl.gz) or capture folders");
    Path none = folder.resolve("none");
    assertThat(Rows.run(none).files().getFirst().error())
        .isEqualTo(none + ": there is no such file or folder; name a vector file or a capture");
  }

  @Test
  void programs_read_json() throws IOException {
    Path file = Rows.file(folder, "v.jsonl", wrong(1), right(2));
    JsonNode json = new JsonMapper().readTree(ReportJson.write(Rows.run(file)));
    assertThat(json.get("passed").intValue()).isEqualTo(1);
    assertThat(json.get("failed").intValue()).isEqualTo(1);
    JsonNode one = json.get("files").get(0);
    assertThat(one.propertyNames())
        .containsExactly(
            "name",
            "passed",
            "failed",
            "disputed",
            "advisory",
            "advisoryAsExpected",
            "skipped",
            "error",
            "notices",
            "failures");
    assertThat(one.get("error").isNull()).isTrue();
    JsonNode failure = one.get("failures").get(0);
    assertThat(failure.get("id").stringValue()).isEqualTo("riscv-ref/t/1");
    assertThat(failure.get("step").intValue()).isZero();
    assertThat(failure.get("differences").get(0).get("expected").stringValue()).isEqualTo("01");
  }
}
