package org.iommu4j.cli;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.cli.Console.Style;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.machine.Resource;
import org.iommu4j.machine.description.Units;
import org.iommu4j.machine.reach.Isolation;
import org.iommu4j.machine.reach.Reach;

/** The isolation matrix: a row for every resource, a column for every device and PASID. */
final class MatrixText {
  /** What a cell can be: {@code rwx+!}. */
  private static final int CELL = 5;

  private final Console console;

  MatrixText(Console console) {
    this.console = console;
  }

  void print(Isolation isolation) {
    console.title("Who reaches what, read from the tables");
    List<Reach> reaches = isolation.reaches();
    int left = 0;
    for (Resource r : isolation.resources()) {
      String size = Units.size(r.size());
      left =
          Math.max(left, r.name().length() + Units.address(r.base()).length() + size.length() + 8);
    }
    // As many columns side by side as fit; the rest below.
    for (int from = 0; from < reaches.size(); ) {
      int to = from;
      for (int used = left; to < reaches.size(); to++) {
        used += Math.max(CELL, reaches.get(to).label().length()) + 2;
        if (used > Console.WIDTH && to > from) {
          break;
        }
      }
      if (from > 0) {
        console.line();
      }
      part(isolation, reaches.subList(from, to));
      from = to;
    }
    console.line(
        console.styled(
            Style.FAINT,
            "  - is out of reach; + only a part is in reach; ! is not what was mapped"));
    for (Isolation.Difference d : isolation.differences()) {
      console.line("  " + console.styled(Style.ALARM, d.toString()));
    }
  }

  private void part(Isolation isolation, List<Reach> reaches) {
    List<String> heads = new ArrayList<>(List.of("", ">", ">"));
    reaches.forEach(r -> heads.add(r.label()));
    Table table = new Table(heads.toArray(String[]::new));
    for (Resource resource : isolation.resources()) {
      List<Object> row = new ArrayList<>();
      row.add(resource.name());
      row.add(Units.address(resource.base()));
      row.add(Units.size(resource.size()));
      for (Reach reach : reaches) {
        row.add(cell(isolation, reach, resource));
      }
      table.row(row.toArray());
    }
    List<Object> totals = new ArrayList<>(List.of("all memory in reach", "", ""));
    for (Reach reach : reaches) {
      totals.add(total(reach));
    }
    table.row(totals.toArray());
    table.print(console);
  }

  private static Table.Cell cell(Isolation isolation, Reach reach, Resource resource) {
    Reach.Cell cell = reach.of(resource);
    if (cell.bytes() == 0) {
      return Table.cell(Style.FAINT, "-");
    }
    boolean breach = isolation.breached(reach, resource);
    String text =
        Access.permissions(cell.permissions())
            + (cell.bytes() < resource.size() ? "+" : "")
            + (breach ? "!" : "");
    return Table.cell(breach ? Style.ALARM : Style.GOOD, text);
  }

  static Table.Cell total(Reach reach) {
    return switch (reach.view().reach()) {
      case BLOCKED -> Table.cell(Style.FAINT, "none");
      case IDENTITY -> Table.cell(Style.NOTICE, "all");
      case TRANSLATED ->
          Table.cell(
              Style.PLAIN,
              Units.roughly(reach.bytes()).replace("iB", "").replace(" ", "")
                  + (reach.view().truncated() ? ".." : ""));
    };
  }

  /** What a requester's tables do, in a word. */
  static String kind(Inspector.View view) {
    return switch (view.reach()) {
      case BLOCKED -> "blocked";
      case IDENTITY -> "identity";
      case TRANSLATED -> "translated";
    };
  }
}
