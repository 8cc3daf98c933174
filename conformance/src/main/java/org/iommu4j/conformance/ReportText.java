package org.iommu4j.conformance;

import java.util.List;

/** Writes reports for people. */
public final class ReportText {
  private ReportText() {}

  /** A file's line, and the failures that it describes below it. */
  public static String file(FileReport file) {
    StringBuilder text = new StringBuilder(file.name()).append(": ");
    if (file.skipped()) {
      return text.append("skipped: ")
          .append(String.join("; ", file.notices()))
          .append('\n')
          .toString();
    }
    text.append(counts(file.passed(), file.failed()));
    if (file.disputed() > 0) {
      text.append(", ").append(file.disputed()).append(" disputed");
    }
    if (file.advisory() > 0) {
      text.append(", %d advisory (%d as expected)".formatted(file.advisory(), file.advisoryHeld()));
    }
    if (file.error() != null) {
      text.append(file.cases() == 0 ? ", not usable" : ", not usable to its end");
    }
    text.append('\n');
    file.notices().forEach(n -> text.append("  notice: ").append(n).append('\n'));
    file.failures().forEach(f -> failure(f, text));
    int more = file.failed() - file.failures().size();
    if (more > 0) {
      text.append("  ... and %d more failed (--max-failures shows more)\n".formatted(more));
    }
    return text.toString();
  }

  /** What is said below the files of a whole run; its last line is the counts. */
  public static String summary(Report report) {
    int disputed = report.disputed();
    return (disputed == 0
            ? ""
            : disputed + " disputed, neither passed nor failed: see conformance/DISPUTED.md\n")
        + counts(report.passed(), report.failed());
  }

  /** Two numbers in words. */
  public static String counts(int passed, int failed) {
    return passed + " passed, " + failed + " failed";
  }

  private static void failure(CaseFailure failure, StringBuilder text) {
    text.append("  ").append(failure.id());
    if (!failure.note().isEmpty()) {
      text.append("  ").append(failure.note());
    }
    text.append("\n    ").append(failure.place()).append(' ').append(failure.text()).append('\n');
    List<Difference> all = failure.differences();
    int field = width(all.stream().map(Difference::field).toList());
    int expected = width(all.stream().map(Difference::expected).toList());
    for (Difference d : all) {
      text.append("      ").append(pad(d.field(), field));
      text.append("  expected ").append(pad(d.expected(), expected));
      text.append("  actual ").append(d.actual()).append('\n');
    }
  }

  /** Columns are only worth it as long as they are narrow. */
  private static int width(List<String> column) {
    return column.stream().mapToInt(String::length).filter(w -> w <= 44).max().orElse(0);
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }
}
