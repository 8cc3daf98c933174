package org.iommu4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.machine.description.PlatformFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class RunTest {
  /** The example without its traffic, which takes a second. */
  private static Path quiet(Path folder, String find, String replacement) throws IOException {
    String text = PlatformFile.exampleText();
    text = text.substring(0, text.indexOf("\ntraffic:"));
    assertThat(text).contains(find);
    Path file = folder.resolve("platform.yaml");
    Files.writeString(file, text.replace(find, replacement));
    return file;
  }

  /** Those that a driver programs, too. */
  static List<String> architectures() {
    return ServiceLoader.load(DriverProvider.class).stream()
        .map(p -> p.get().architecture())
        .sorted()
        .toList();
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void the_example_is_fine_on_every_architecture(String architecture) {
    Invocation i = Invocation.of("run", "--arch", architecture);
    assertThat(i.err()).isEmpty();
    assertThat(i.status()).isZero();
    assertThat(i.out())
        .contains(
            "What happened",
            "What was blocked, and why",
            "Who reaches what, read from the tables",
            "Counters of iommu0",
            "Throughput, on",
            "all as expected, and no device reaches more than it was given");
    assertThat(i.out().lines()).allSatisfy(l -> assertThat(l).hasSizeLessThanOrEqualTo(100));
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void every_cache_behaviour_gives_the_same_outcomes(String cache, @TempDir Path folder)
      throws IOException {
    Path file = quiet(folder, "arch: riscv", "arch: riscv");
    Invocation i = Invocation.of("run", file.toString(), "--cache", cache, "--json");
    assertThat(i.status()).isZero();
    assertThat(i.json().at("/summary/unexpected").asInt()).isZero();
    assertThat(i.json().at("/summary/skipped").asInt()).isZero();
  }

  @Test
  void json_has_stable_names(@TempDir Path folder) throws IOException {
    Path file = quiet(folder, "arch: riscv", "arch: riscv");
    JsonNode root = Invocation.of("run", file.toString(), "--json").json();
    assertThat(root.propertyNames())
        .containsExactly(
            "platform", "steps", "isolation", "interrupts", "statistics", "traffic", "summary");
    assertThat(root.at("/interrupts/cpu0").propertyNames()).hasSize(2).contains("33");
    assertThat(root.at("/platform/interrupts/0").propertyNames())
        .containsExactly("name", "device", "target", "data", "messageAddress", "messageData");
    JsonNode blocked =
        root.path("steps")
            .valueStream()
            .filter(s -> s.path("outcome").asString().equals("blocked"))
            .findFirst()
            .orElseThrow();
    assertThat(blocked.propertyNames())
        .contains("number", "line", "note", "actor", "action", "expected", "outcome", "faults");
    JsonNode fault = blocked.at("/faults/0");
    assertThat(fault.propertyNames())
        .containsExactly("reason", "source", "pasid", "transaction", "address", "detail");
    assertThat(fault.path("reason").propertyNames())
        .containsExactly("name", "code", "title", "advice");
    assertThat(blocked.at("/walk/steps/0").propertyNames())
        .containsExactly("what", "structure", "source", "address", "raw");
    JsonNode isolation = root.path("isolation");
    assertThat(isolation.propertyNames())
        .containsExactly("requesters", "resources", "matrix", "differences");
    assertThat(isolation.at("/matrix/0").propertyNames())
        .containsExactly("requester", "resource", "permissions", "bytes", "breach");
    assertThat(root.at("/summary/ok").asBoolean()).isTrue();
  }

  @Test
  void a_broken_expectation_is_exit_1_and_named(@TempDir Path folder) throws IOException {
    Path file =
        quiet(
            folder,
            "iova: 0xdead_0000, length: 64, expect: blocked",
            "iova: 0xdead_0000, length: 64");
    Invocation i = Invocation.of("run", file.toString());
    assertThat(i.status()).isEqualTo(1);
    assertThat(i.out())
        .containsPattern("step \\d+ \\(.*platform.yaml:\\d+:\\d+\\): expected ok, was blocked")
        .contains("1 steps are not as expected");
  }

  @Test
  void an_identity_domain_shows_in_the_matrix(@TempDir Path folder) throws IOException {
    Path file = quiet(folder, "{device: card, domain: capture}", "{device: card, domain: through}");
    Files.writeString(
        file,
        Files.readString(file)
            .replace("\nattach:", "  - {name: through, type: identity}\n\nattach:"));
    Invocation i = Invocation.of("run", file.toString(), "--json");
    assertThat(i.status()).isEqualTo(1); // the card's attempts succeed
    assertThat(
            i.json()
                .at("/isolation/matrix")
                .valueStream()
                .filter(c -> c.path("requester").asString().equals("card"))
                .map(c -> c.path("resource").asString()))
        .contains("iommu0 registers", "iommu0 tables", "nic rings", "cpu0");
  }

  @Test
  void the_printed_example_is_a_platform_file(@TempDir Path folder) throws IOException {
    Invocation i = Invocation.of("run", "--print-example");
    assertThat(PlatformFile.parse("x", i.out()).name()).isEqualTo("small server");
  }
}
