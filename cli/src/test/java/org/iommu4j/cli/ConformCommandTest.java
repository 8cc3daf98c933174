package org.iommu4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The command as a person meets it: what it prints where, and how it exits. */
class ConformCommandTest {
  private static final String CASE =
      """
      {"id":"qemu-riscv/t/%d","arch":"riscv","note":"first word of memory",
       "setup":{"capabilities":"0x78e2cf4f10","config":"rvsys","qemu":""},
       "steps":[{"do":"peek","pa":"0x80000000","hex":"%s"}]}
      """;

  @TempDir Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(Object... arguments) {
    CommandLine command = new CommandLine(new ConformCommand());
    command.setOut(new PrintWriter(out));
    command.setErr(new PrintWriter(err));
    String[] words = new String[arguments.length];
    for (int i = 0; i < words.length; i++) {
      words[i] = arguments[i].toString();
    }
    return command.execute(words);
  }

  private Path file(String name, String... cases) throws IOException {
    StringBuilder text = new StringBuilder();
    for (String one : cases) {
      text.append(one.replace("\n", "")).append('\n');
    }
    return Files.writeString(folder.resolve(name), text);
  }

  private static String right(int n) {
    return CASE.formatted(n, "00");
  }

  private static String wrong(int n) {
    return CASE.formatted(n, "01");
  }

  @Test
  void all_that_passes_is_counted_in_the_last_line() throws IOException {
    Path file = file("v.jsonl", right(1), right(2));
    assertThat(run(file)).isZero();
    assertThat(out.toString().lines())
        .containsExactly(file + ": 2 passed, 0 failed", "2 passed, 0 failed");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void what_fails_is_described_and_exits_with_1() throws IOException {
    Path file = file("v.jsonl", right(1), wrong(2), wrong(3));
    assertThat(run("--max-failures", 1, file)).isEqualTo(1);
    assertThat(out.toString().lines())
        .containsExactly(
            file + ": 1 passed, 2 failed",
            "  qemu-riscv/t/2  first word of memory",
            "    steps[0] {\"do\":\"peek\",\"pa\":\"0x80000000\",\"hex\":\"01\"}",
            "      memory at 0x80000000  expected 01  actual 00",
            "  ... and 1 more failed (--max-failures shows more)",
            "1 passed, 2 failed");
  }

  @Test
  void what_cannot_be_used_is_named_and_exits_with_2() throws IOException {
    Path file = file("v.jsonl", right(1), right(2).replace("peek", "poke"));
    assertThat(run(file)).isEqualTo(2);
    assertThat(out.toString()).endsWith("1 passed, 0 failed\n");
    assertThat(err.toString())
        .isEqualTo(
            "iommu conform: "
                + file
                + ":2: steps[0]: unknown step 'poke' in case qemu-riscv/t/2\n");
    assertThat(run(folder.resolve("none"))).isEqualTo(2);
    assertThat(err.toString()).contains("none: there is no such file or folder");
  }

  @Test
  void a_filter_that_matches_nothing_is_said_to() throws IOException {
    Path file = file("v.jsonl", right(1), wrong(2));
    assertThat(run("--filter", "t/1$", file)).isZero();
    assertThat(run("--filter", "elsewhere", file)).isEqualTo(2);
    assertThat(err.toString())
        .isEqualTo("iommu conform: no case has an id in which 'elsewhere' is found\n");
  }

  @Test
  void programs_get_json_only() throws IOException {
    Path file = file("v.jsonl", right(1), wrong(2));
    assertThat(run("--json", "--cache", "worst-case", file)).isEqualTo(1);
    assertThat(out.toString()).startsWith("{").endsWith("}\n").contains("\"passed\" : 1");
  }

  @Test
  void wrong_usage_is_explained_and_exits_with_2() throws IOException {
    Path file = file("v.jsonl", right(1));
    assertThat(run()).isEqualTo(2);
    assertThat(run("--cache", "hot", file)).isEqualTo(2);
    assertThat(err.toString()).contains("off, normal or worst-case was expected");
    assertThat(run("--max-failures", -1, file)).isEqualTo(2);
    assertThat(err.toString()).contains("--max-failures has to be 0 or more, found -1");
    assertThat(run("--filter", "(", file)).isEqualTo(2);
    assertThat(err.toString()).contains("--filter '(' is not a regular expression");
  }
}
