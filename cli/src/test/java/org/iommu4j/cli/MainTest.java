package org.iommu4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  private static final Console.Style BAD = Console.Style.BAD;

  @Test
  void without_a_command_it_shows_what_there_is() {
    Invocation i = Invocation.of();
    assertThat(i.status()).isZero();
    assertThat(i.out()).contains("Usage: iommu", "walk", "bench", "completion", "Exit status");
    assertThat(i.out().lines()).allSatisfy(l -> assertThat(l).hasSizeLessThanOrEqualTo(100));
  }

  @ParameterizedTest
  @ValueSource(strings = {"run", "walk", "bench", "completion"})
  void every_command_has_help(String command) {
    Invocation i = Invocation.of(command, "--help");
    assertThat(i.status()).isZero();
    assertThat(i.out()).startsWith("Usage: iommu " + command);
    assertThat(i.err()).isEmpty();
  }

  @Test
  void the_version_names_the_jdk() {
    Invocation i = Invocation.of("--version");
    assertThat(i.status()).isZero();
    assertThat(i.out()).startsWith("iommu4j ").contains("JDK " + Runtime.version());
  }

  @Test
  void the_completion_script_knows_the_commands() {
    assertThat(Invocation.of("completion").out()).contains("complete -F", "--iova", "bench");
  }

  @Test
  void a_mistyped_command_or_option_is_corrected() {
    Invocation command = Invocation.of("wlak");
    assertThat(command.status()).isEqualTo(2);
    assertThat(command.err()).contains("did you mean 'walk'?", "See 'iommu --help'.");
    Invocation option = Invocation.of("run", "--jso");
    assertThat(option.status()).isEqualTo(2);
    assertThat(option.err()).contains("did you mean '--json'?", "See 'iommu run --help'.");
  }

  @Test
  void wrong_values_say_what_was_expected() {
    assertThat(Invocation.of("run", "--cache", "x").err())
        .contains("'x' is no cache behaviour: expected off, normal or worst-case");
    assertThat(Invocation.of("walk", "example", "-d", "nic", "--iova", "1G").err())
        .contains("'1G' is not an address: expected decimal, or hexadecimal after 0x");
    assertThat(Invocation.of("walk", "example").err())
        .contains("Missing required options: '--device=D', '--iova=A'");
    assertThat(Invocation.of("run", "--arch", "z80").err())
        .contains("--arch: architecture 'z80' is not present; present are amdvi, riscv, vtd");
    assertThat(Invocation.of("bench", "--filter", "none").err()).contains("no figure's name");
  }

  @Test
  void unreadable_input_is_named(@TempDir Path folder) throws IOException {
    Invocation missing = Invocation.of("run", folder.resolve("none.yaml").toString());
    assertThat(missing.status()).isEqualTo(2);
    assertThat(missing.err()).contains("none.yaml: there is no such file");
    assertThat(Invocation.of("run", folder.toString()).err())
        .contains("is a folder without regs.json, so it is no capture");
    Path bad = folder.resolve("bad.yaml");
    Files.writeString(bad, "platform: x\nmemmory: []\n");
    Invocation invalid = Invocation.of("run", bad.toString());
    assertThat(invalid.status()).isEqualTo(2);
    assertThat(invalid.err())
        .contains(bad + ":2:1: key 'memmory' is unknown", "did you mean 'memory'?");
    assertThat(invalid.out()).isEmpty();
  }

  @Test
  void an_internal_error_is_one_line_unless_asked_for_more() {
    StringWriter text = new StringWriter();
    var command = Main.commandLine(false, false).setErr(new PrintWriter(text));
    assertThat(Failures.execution(new IllegalStateException("boo"), command, null, false))
        .isEqualTo(2);
    assertThat(text.toString().lines()).singleElement().asString().contains("boo", "report it");
    Failures.execution(new IllegalStateException("boo"), command, null, true);
    assertThat(text.toString()).contains("\tat org.iommu4j");
  }

  @Test
  void a_jvm_that_is_too_small_is_told_how_to_grow() {
    StringWriter text = new StringWriter();
    PrintWriter err = new PrintWriter(text);
    assertThat(Failures.exhausted(new OutOfMemoryError("Java heap space"), err, false))
        .isEqualTo(2);
    assertThat(Failures.exhausted(new StackOverflowError(), err, false)).isEqualTo(2);
    assertThat(text.toString().lines())
        .hasSize(2)
        .allSatisfy(l -> assertThat(l).startsWith("iommu: ").contains("IOMMU_JAVA_OPTS=-X"));
  }

  @Test
  void names_that_the_locale_cannot_write_are_told() {
    StringWriter text = new StringWriter();
    var command = Main.commandLine(false, false).setErr(new PrintWriter(text));
    Exception e = new InvalidPathException("x?.yaml", "unmappable");
    assertThat(Failures.execution(e, command, null, false)).isEqualTo(2);
    assertThat(text.toString()).contains("the name 'x?.yaml'", "LC_ALL=C.UTF-8");
  }

  @Test
  void an_empty_path_is_not_the_working_folder() {
    assertThat(Invocation.of("run", "").err()).contains("an empty path");
    Invocation conform = Invocation.of("conform", "");
    assertThat(conform.status()).isEqualTo(2);
    assertThat(conform.err()).contains("an empty path");
  }

  @Test
  void output_that_gets_lost_is_an_error_unless_the_reader_has_seen_enough() {
    assertThat(lost("No space left on device"))
        .isEqualTo("2 iommu: cannot write standard output: No space left on device\n");
    assertThat(lost("Broken pipe")).isEqualTo("1 ");
  }

  private static String lost(String why) {
    Output output =
        new Output(
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                throw new IOException(why);
              }
            });
    StringWriter err = new StringWriter();
    PrintWriter writer = new PrintWriter(output);
    writer.println("lines");
    writer.flush();
    return output.status(1, new PrintWriter(err, true)) + " " + err;
  }

  @Test
  void colours_are_for_terminals_that_want_them() {
    assertThat(Console.wantsColour(Map.of("NO_COLOR", "1"))).isFalse();
    assertThat(Console.wantsColour(Map.of("TERM", "dumb"))).isFalse();
    assertThat(new Console(new PrintWriter(new StringWriter()), false).styled(BAD, "x"))
        .isEqualTo("x");
    assertThat(new Console(new PrintWriter(new StringWriter()), true).styled(BAD, "x"))
        .isEqualTo("\u001b[31mx\u001b[0m");
  }

  @Test
  void a_table_aligns_and_cuts() {
    StringWriter text = new StringWriter();
    Console console = new Console(new PrintWriter(text), false);
    new Table("a", ">n", "rest").row("x", 5, "y".repeat(200)).row("long", 10).print(console);
    console.flush();
    assertThat(text.toString().lines().map(String::stripTrailing))
        .containsExactly("  a      n  rest", "  x      5  " + "y".repeat(86) + "..", "  long  10");
  }
}
