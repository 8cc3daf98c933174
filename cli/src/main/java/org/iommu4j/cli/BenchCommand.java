package org.iommu4j.cli;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.iommu4j.cli.Console.Style;
import org.iommu4j.driver.Workload;
import org.iommu4j.machine.measure.Figure;
import org.iommu4j.machine.measure.Measurement;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Measures this build on this machine. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measure this build on this machine, at most 40 seconds: median nanoseconds and allocated"
          + " bytes of an operation, after a warm-up.",
      "For figures to publish use the JMH suite in the bench module."
    })
final class BenchCommand implements Callable<Integer> {
  private static final double SECONDS = 34;

  @Option(
      names = "--filter",
      paramLabel = "TEXT",
      description = "Only figures whose name contains this.")
  private String filter = "";

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @ParentCommand private @Nullable Main main;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    List<Workload> workloads =
        Measurement.workloads().stream()
            .filter(w -> (w.architecture() + "." + w.name()).contains(filter))
            .toList();
    if (workloads.isEmpty()) {
      throw new UsageException("--filter: no figure's name contains '" + filter + "'");
    }
    List<Figure> figures;
    String first = "preparing";
    try (Progress progress =
        main == null ? new Progress(System.err, false, first) : main.progress(first)) {
      figures =
          Measurement.measure(
              workloads,
              SECONDS,
              w -> progress.now("measuring " + w.architecture() + "." + w.name()));
    }
    if (json) {
      Json.print(spec.commandLine().getOut(), json(figures));
    } else {
      print(figures);
    }
    return Failures.FINE;
  }

  private void print(List<Figure> figures) {
    Console console =
        main == null ? new Console(spec.commandLine().getOut(), false) : main.console(spec);
    console.line(
        "JDK %s, %d processors, %s %s"
            .formatted(
                Runtime.version(),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.name"),
                System.getProperty("os.arch")));
    console.line();
    Table table = new Table("figure", ">ns", ">bytes", ">bare ns", ">ratio", "one operation is");
    for (Figure f : figures) {
      boolean compared = f.bareNanos() != 0;
      table.row(
          f.name(),
          Table.cell(Style.STRONG, number("%.1f", f.nanos())),
          Table.cell(
              f.bytesPerOp() >= 0.5 ? Style.BAD : Style.FAINT, number("%.0f", f.bytesPerOp())),
          compared ? number("%.1f", f.bareNanos()) : "",
          compared ? number("%.2f", f.ratio()) : "",
          Table.cell(Style.FAINT, f.description()));
    }
    table.print(console);
    console.flush();
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  private static ObjectNode json(List<Figure> figures) {
    ObjectNode root = Json.object();
    ArrayNode all = root.putArray("figures");
    for (Figure f : figures) {
      ObjectNode node = all.addObject();
      node.put("name", f.name());
      node.put("ns", Math.round(f.nanos() * 100) / 100.0);
      node.put("bytesPerOp", Math.round(f.bytesPerOp()));
      if (f.bareNanos() != 0) {
        node.put("bareNs", Math.round(f.bareNanos() * 100) / 100.0);
        node.put("ratio", Math.round(f.ratio() * 100) / 100.0);
      }
      node.put("description", f.description());
    }
    root.put("jdk", Runtime.version().toString());
    root.put("processors", Runtime.getRuntime().availableProcessors());
    return root;
  }
}
