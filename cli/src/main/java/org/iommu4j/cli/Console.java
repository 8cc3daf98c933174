package org.iommu4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Where output goes, and whether it may be coloured. */
final class Console {
  /** What a piece of text means; how it looks is decided here. */
  enum Style {
    PLAIN(""),
    TITLE("1"),
    STRONG("1"),
    FAINT("2"),
    GOOD("32"),
    BAD("31"),
    ALARM("1;31"),
    NOTICE("33");

    private final String code;

    Style(String code) {
      this.code = code;
    }
  }

  /** Columns that output is made for. */
  static final int WIDTH = 100;

  private final PrintWriter out;
  private final boolean coloured;

  Console(PrintWriter out, boolean coloured) {
    this.out = out;
    this.coloured = coloured;
  }

  void line(String text) {
    out.println(text);
  }

  void line() {
    out.println();
  }

  /** A heading, with a line before it. */
  void title(String text) {
    out.println();
    out.println(styled(Style.TITLE, text));
  }

  /** The text in its style; the text itself where there are no colours. */
  String styled(Style style, String text) {
    return coloured && !style.code.isEmpty() && !text.isEmpty()
        ? "\u001b[" + style.code + "m" + text + "\u001b[0m"
        : text;
  }

  /** Text, broken between words at {@link #WIDTH}. */
  void paragraph(int indent, String text) {
    StringBuilder line = new StringBuilder();
    for (String word : text.split("\\s+")) {
      if (!line.isEmpty() && indent + line.length() + 1 + word.length() > WIDTH) {
        out.println(" ".repeat(indent) + line);
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    if (!line.isEmpty()) {
      out.println(" ".repeat(indent) + line);
    }
  }

  void flush() {
    out.flush();
  }

  /** Whether the process's standard output (1) or error (2) is a terminal that takes colours. */
  static boolean isTerminal(int descriptor, Map<String, String> environment) {
    if ("dumb".equals(environment.get("TERM"))) {
      return false;
    }
    // Asking the kernel's own list costs a system call; asking isatty() costs a linker.
    Path link = Path.of("/proc/self/fd/" + descriptor);
    if (Files.isSymbolicLink(link)) {
      try {
        String target = Files.readSymbolicLink(link).toString();
        return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
      } catch (IOException e) {
        return false;
      }
    }
    java.io.Console console = System.console();
    return console != null && console.isTerminal();
  }

  /** Whether to colour standard output. See no-color.org. */
  static boolean wantsColour(Map<String, String> environment) {
    return environment.getOrDefault("NO_COLOR", "").isEmpty() && isTerminal(1, environment);
  }
}
