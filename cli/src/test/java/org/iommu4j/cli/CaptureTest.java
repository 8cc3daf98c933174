package org.iommu4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** The commands on a captured machine. */
class CaptureTest {
  private static final String CAPTURE = "../conformance/captures/riscv-sys";

  @Test
  void run_says_what_each_device_reaches() {
    Invocation i = Invocation.of("run", CAPTURE);
    assertThat(i.status()).isZero();
    assertThat(i.err()).isEmpty();
    assertThat(i.out())
        .contains("riscv-iommu0 at 0x3010000", "00:06.0 reaches", "--all shows them")
        .contains("reaches all of memory (512 MiB)", "12 devices can write them");
    assertThat(i.out().lines()).allSatisfy(l -> assertThat(l).hasSizeLessThanOrEqualTo(100));
    assertThat(Invocation.of("run", CAPTURE, "--all").out().lines())
        .hasSizeGreaterThan(145 + 210)
        .noneMatch(l -> l.contains("--all"));
  }

  @Test
  void run_has_the_same_as_json() {
    JsonNode root = Invocation.of("run", CAPTURE, "--json").json();
    assertThat(root.propertyNames()).containsExactly("platform", "isolation", "shared");
    Map<String, List<JsonNode>> byReach =
        root.at("/isolation/requesters")
            .valueStream()
            .collect(Collectors.groupingBy(r -> r.path("reach").asString()));
    assertThat(byReach.get("identity")).hasSize(12);
    assertThat(byReach.get("translated").stream().map(r -> r.path("mappings").size()))
        .containsExactly(145, 210);
    assertThat(root.at("/shared/0/bytes").asLong()).isEqualTo(1L << 30);
  }

  @Test
  void walk_follows_the_tables_of_the_capture() {
    Invocation i = Invocation.of("walk", CAPTURE, "-d", "00:06.0", "--iova", "0x20010", "--json");
    assertThat(i.status()).isZero();
    assertThat(i.json().at("/walk/pa").asString()).isEqualTo("0x858a0010");
    assertThat(i.json().at("/walk/steps")).hasSize(8);
    Invocation write =
        Invocation.of("walk", CAPTURE, "-d", "00:06.0", "--iova", "0x40010", "--write");
    assertThat(write.status()).isEqualTo(1);
    assertThat(write.out()).contains("blocked: Write/AMO page fault (cause 15)");
  }

  @Test
  void what_is_for_platform_files_is_refused() {
    Invocation i = Invocation.of("run", CAPTURE, "--cache", "off");
    assertThat(i.status()).isEqualTo(2);
    assertThat(i.err()).contains("a capture's units are what they were");
  }
}
