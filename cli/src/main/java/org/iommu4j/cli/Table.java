package org.iommu4j.cli;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.cli.Console.Style;

/**
 * A table with aligned columns. The last column takes what is left of the line and is cut there.
 *
 * <pre>{@code
 * new Table("name", ">size").row("ram", "4G").print(console);
 * }</pre>
 */
final class Table {
  /** One cell: its text, and how it looks. */
  record Cell(String text, Style style) {}

  private static final String GAP = "  ";

  private final String[] heads;
  private final boolean[] right;
  private final List<Cell[]> rows = new ArrayList<>();
  private int indent = 2;

  /**
   * A table.
   *
   * @param columns the heads; {@code >} in front aligns a column to the right
   */
  Table(String... columns) {
    heads = new String[columns.length];
    right = new boolean[columns.length];
    for (int i = 0; i < columns.length; i++) {
      right[i] = columns[i].startsWith(">");
      heads[i] = right[i] ? columns[i].substring(1) : columns[i];
    }
  }

  Table indent(int columns) {
    indent = columns;
    return this;
  }

  static Cell cell(Style style, String text) {
    return new Cell(text, style);
  }

  /** Adds a row of texts and {@link Cell}s; missing cells are empty. */
  Table row(Object... cells) {
    Cell[] row = new Cell[heads.length];
    for (int i = 0; i < row.length; i++) {
      row[i] =
          i >= cells.length
              ? new Cell("", Style.PLAIN)
              : cells[i] instanceof Cell c ? c : new Cell(String.valueOf(cells[i]), Style.PLAIN);
    }
    rows.add(row);
    return this;
  }

  boolean isEmpty() {
    return rows.isEmpty();
  }

  /** Prints the heads, if there are any, and the rows. */
  void print(Console console) {
    int[] widths = new int[heads.length];
    int used = indent;
    for (int i = 0; i < heads.length; i++) {
      widths[i] = heads[i].length();
      for (Cell[] row : rows) {
        widths[i] = Math.max(widths[i], row[i].text.length());
      }
      used += widths[i] + (i == 0 ? 0 : GAP.length());
    }
    int last = heads.length - 1;
    if (used > Console.WIDTH) {
      widths[last] = Math.max(heads[last].length(), widths[last] - (used - Console.WIDTH));
    }
    boolean headed = false;
    Cell[] head = new Cell[heads.length];
    for (int i = 0; i < heads.length; i++) {
      head[i] = new Cell(heads[i], Style.FAINT);
      headed |= !heads[i].isEmpty();
    }
    if (headed) {
      console.line(line(console, head, widths));
    }
    for (Cell[] row : rows) {
      console.line(line(console, row, widths));
    }
  }

  private String line(Console console, Cell[] row, int[] widths) {
    StringBuilder line = new StringBuilder(" ".repeat(indent));
    int pending = 0;
    for (int i = 0; i < row.length; i++) {
      String text = cut(row[i].text, widths[i]);
      int space = widths[i] - text.length();
      if (!text.isEmpty()) {
        line.append(" ".repeat(pending + (right[i] ? space : 0)));
        line.append(console.styled(row[i].style, text));
        pending = (right[i] ? 0 : space) + GAP.length();
      } else {
        pending += widths[i] + GAP.length();
      }
    }
    return line.toString();
  }

  private static String cut(String text, int width) {
    return text.length() <= width ? text : text.substring(0, Math.max(0, width - 2)) + "..";
  }
}
