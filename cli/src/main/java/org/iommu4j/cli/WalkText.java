package org.iommu4j.cli;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.cli.Console.Style;
import org.iommu4j.core.bits.Layout;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.machine.description.Units;

/** Shows walks: every entry that was read, decoded. */
final class WalkText {
  private static final String GAP = "   ";

  /** Entries that the brief form shows: where a walk ends is what matters. */
  private static final int BRIEF = 4;

  private final Console console;

  WalkText(Console console) {
    this.console = console;
  }

  /** Every entry with all of its fields. */
  void full(Inspector.Walk walk) {
    int number = 0;
    for (Inspector.Step step : walk.steps()) {
      number++;
      console.line();
      console.line(
          "%2d  %s%s"
              .formatted(
                  number,
                  console.styled(Style.STRONG, step.what()),
                  console.styled(Style.FAINT, heading(step))));
      for (int w = 0; w < step.raw().size(); w++) {
        console.line(
            "    %s  %s"
                .formatted(
                    Units.address(step.address() + 8L * w),
                    console.styled(Style.NOTICE, "0x%016x".formatted(step.raw().get(w)))));
        grid(6, fields(step, w));
      }
    }
  }

  /** One line for each of the last entries, with the fields that are not 0. */
  void brief(int indent, Inspector.Walk walk) {
    int before = walk.steps().size() <= BRIEF + 1 ? 0 : walk.steps().size() - BRIEF;
    if (before > 0) {
      console.line(
          console.styled(
              Style.FAINT,
              "%safter %d entries from %s at %s"
                  .formatted(
                      " ".repeat(indent),
                      before,
                      walk.steps().getFirst().what(),
                      Units.address(walk.steps().getFirst().address()))));
    }
    Table table = new Table("", "", "", "").indent(indent);
    for (Inspector.Step step : walk.steps().subList(before, walk.steps().size())) {
      StringBuilder fields = new StringBuilder();
      for (int w = 0; w < step.raw().size(); w++) {
        for (Layout.Value v : fields(step, w)) {
          if (v.value() != 0) {
            fields.append(fields.isEmpty() ? "" : " ").append(brief(v));
          }
        }
      }
      table.row(
          step.what(),
          Units.address(step.address()),
          Table.cell(
              Style.NOTICE, step.raw().isEmpty() ? "" : Units.address(step.raw().getFirst())),
          Table.cell(Style.FAINT, fields.isEmpty() ? "all zero" : fields.toString()));
    }
    table.print(console);
  }

  /** The outcome in a line or two. */
  void outcome(Inspector.Walk walk) {
    FaultReason reason = walk.reason();
    console.line(console.styled(reason == null ? Style.GOOD : Style.BAD, walk.outcome()));
    if (reason != null) {
      console.paragraph(2, reason.advice());
    }
  }

  /** What the entry is in the specification, unless its name says so already. */
  private static String heading(Inspector.Step step) {
    String name = step.layout().name();
    String source = step.layout().source();
    String what = step.what().startsWith(name) ? "" : name;
    String gap = what.isEmpty() || source.isEmpty() ? "" : ", ";
    return what.isEmpty() && source.isEmpty() ? "" : "  (" + what + gap + source + ")";
  }

  private static List<Layout.Value> fields(Inspector.Step step, int word) {
    long[] raw = step.raw().stream().mapToLong(Long::longValue).toArray();
    return step.layout().decode(raw).stream().filter(v -> v.word() == word).toList();
  }

  private static String brief(Layout.Value v) {
    String meaning = v.field().meaning(v.value());
    return v.field().name() + "=" + (meaning.isEmpty() ? value(v) : meaning);
  }

  private static String text(Layout.Value v) {
    String meaning = v.field().meaning(v.value());
    return v.field().name() + "=" + value(v) + (meaning.isEmpty() ? "" : " (" + meaning + ")");
  }

  /** Small numbers in decimal, others in hexadecimal. */
  static String value(Layout.Value v) {
    return v.value() >= 0 && v.value() < 10 ? Long.toString(v.value()) : Units.address(v.value());
  }

  /** Fields in columns of equal width. */
  private void grid(int indent, List<Layout.Value> values) {
    List<String> cells = new ArrayList<>();
    int width = 0;
    for (Layout.Value v : values) {
      String cell = text(v);
      cells.add(cell);
      width = Math.max(width, Math.min(cell.length(), 22));
    }
    StringBuilder line = new StringBuilder();
    int at = 0;
    for (int i = 0; i < cells.size(); i++) {
      String cell = cells.get(i);
      int slots =
          (cell.length() + GAP.length() + width + GAP.length() - 1) / (width + GAP.length());
      int space = slots * (width + GAP.length());
      if (at > 0 && indent + at + cell.length() > Console.WIDTH) {
        console.line(" ".repeat(indent) + line.toString().stripTrailing());
        line.setLength(0);
        at = 0;
      }
      Style style = values.get(i).value() == 0 ? Style.FAINT : Style.PLAIN;
      line.append(console.styled(style, cell)).append(" ".repeat(space - cell.length()));
      at += space;
    }
    if (at > 0) {
      console.line(" ".repeat(indent) + line.toString().stripTrailing());
    }
  }
}
