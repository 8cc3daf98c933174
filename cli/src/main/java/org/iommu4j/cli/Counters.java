package org.iommu4j.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.iommu4j.cli.Console.Style;

/** Counters by name, in columns. */
final class Counters {
  private static final int COLUMNS = 3;

  private final Console console;

  Counters(Console console) {
    this.console = console;
  }

  void print(Map<String, Long> counters) {
    List<Map.Entry<String, Long>> all = new ArrayList<>(counters.entrySet());
    int rows = (all.size() + COLUMNS - 1) / COLUMNS;
    Table table = new Table("", ">", "", ">", "", ">");
    for (int r = 0; r < rows; r++) {
      List<Object> cells = new ArrayList<>();
      for (int c = 0; c < COLUMNS; c++) {
        int i = c * rows + r;
        if (i < all.size()) {
          cells.add(all.get(i).getKey());
          cells.add(
              Table.cell(
                  all.get(i).getValue() == 0 ? Style.FAINT : Style.PLAIN,
                  String.format(Locale.ROOT, "%,d", all.get(i).getValue())));
        }
      }
      table.row(cells.toArray());
    }
    table.print(console);
  }
}
