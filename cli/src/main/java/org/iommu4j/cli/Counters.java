package org.iommu4j.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.iommu4j.cli.Console.Style;

/** Counters by name, in columns. */
final class Counters {
  private static final int MOST_COLUMNS = 3;
  private static final String NUMBER = "%,d";

  private final Console console;

  Counters(Console console) {
    this.console = console;
  }

  void print(Map<String, Long> counters) {
    int widest = 0;
    for (Map.Entry<String, Long> e : counters.entrySet()) {
      widest = Math.max(widest, e.getKey().length() + number(e.getValue()).length() + 4);
    }
    int columns = Math.clamp((Console.WIDTH - 2) / Math.max(1, widest), 1, MOST_COLUMNS);
    List<Map.Entry<String, Long>> all = new ArrayList<>(counters.entrySet());
    int rows = (all.size() + columns - 1) / columns;
    List<String> heads = new ArrayList<>();
    for (int c = 0; c < columns; c++) {
      heads.add("");
      heads.add(">");
    }
    Table table = new Table(heads.toArray(String[]::new));
    for (int r = 0; r < rows; r++) {
      List<Object> cells = new ArrayList<>();
      for (int i = r; i < all.size(); i += rows) {
        cells.add(all.get(i).getKey());
        cells.add(
            Table.cell(
                all.get(i).getValue() == 0 ? Style.FAINT : Style.PLAIN,
                number(all.get(i).getValue())));
      }
      table.row(cells.toArray());
    }
    table.print(console);
  }

  private static String number(long value) {
    return String.format(Locale.ROOT, NUMBER, value);
  }
}
