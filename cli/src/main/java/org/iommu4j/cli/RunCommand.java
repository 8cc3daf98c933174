package org.iommu4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.machine.Platform;
import org.iommu4j.machine.Unit;
import org.iommu4j.machine.description.PlatformDescription;
import org.iommu4j.machine.description.PlatformDescription.Traffic;
import org.iommu4j.machine.reach.Isolation;
import org.iommu4j.machine.scenario.Player;
import org.iommu4j.machine.scenario.StepResult;
import org.iommu4j.machine.scenario.Throughput;
import org.iommu4j.machine.scenario.TrafficRunner;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The main job: bring a platform up, play what happens on it, and report. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Bring a platform up: its drivers program its IOMMUs, its devices do DMA and send interrupts,"
          + " and everything that was translated or blocked is reported, with who can reach what.",
      "With the folder of a capture: what each device of that machine can reach."
    },
    footer = {
      "",
      "Exit status 1: a step did not end as the file says, or the tables let a device reach"
          + " something that its driver did not map."
    })
final class RunCommand implements Callable<Integer> {
  /** Mappings of one requester that are looked at; a page table of 4 KiB pages for 4 GiB. */
  private static final int MOST_MAPPINGS = 1 << 20;

  /** Seconds for all traffic together, where the file does not say. */
  private static final double TRAFFIC_SECONDS = 1.0;

  /** How much the units cache. */
  static final class Cache implements ITypeConverter<CacheBehaviour> {
    @Override
    public CacheBehaviour convert(String text) {
      return switch (text) {
        case "off" -> CacheBehaviour.OFF;
        case "normal" -> CacheBehaviour.NORMAL;
        case "worst-case" -> CacheBehaviour.WORST_CASE;
        default ->
            throw new TypeConversionException(
                "'" + text + "' is no cache behaviour: expected off, normal or worst-case");
      };
    }
  }

  @Parameters(
      arity = "0..1",
      paramLabel = "PLATFORM",
      description = {
        "A platform file (YAML), or the folder of a capture.",
        "Without it: a bundled example."
      })
  private @Nullable String platform;

  @Option(
      names = "--arch",
      paramLabel = "A",
      description = "Use this architecture, whatever the file says.")
  private @Nullable String arch;

  @Option(
      names = "--cache",
      paramLabel = "C",
      converter = Cache.class,
      description = "How much the IOMMUs cache: off, normal, worst-case.")
  private @Nullable CacheBehaviour cache;

  @Option(names = "--all", description = "Show every range of a captured device.")
  private boolean all;

  @Option(names = "--print-example", description = "Print the bundled example's file.")
  private boolean printExample;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @ParentCommand private @Nullable Main main;

  @Spec private CommandSpec spec = CommandSpec.create();

  /** Everything that came of a run. */
  record Outcome(
      PlatformDescription description,
      List<StepResult> steps,
      Isolation isolation,
      List<Throughput> traffic,
      Map<String, Map<String, Long>> statistics) {
    long unexpected() {
      return steps.stream().filter(s -> !s.asExpected()).count();
    }

    boolean fine() {
      return unexpected() == 0 && isolation.differences().isEmpty();
    }
  }

  @Override
  public Integer call() throws IOException {
    if (printExample) {
      spec.commandLine().getOut().print(org.iommu4j.machine.description.PlatformFile.exampleText());
      return Failures.FINE;
    }
    return switch (PlatformSource.of(platform)) {
      case PlatformSource.Described d -> play(d.description());
      case PlatformSource.Captured c -> look(c.folder());
    };
  }

  private Console console() {
    return main == null ? new Console(spec.commandLine().getOut(), false) : main.console(spec);
  }

  private Progress progress(String text) {
    return main == null ? new Progress(System.err, false, text) : main.progress(text);
  }

  private int play(PlatformDescription description) {
    try (Platform p = Platform.of(description, PlatformSource.settings(arch, cache))) {
      Outcome outcome = play(p, description);
      if (json) {
        Json.print(spec.commandLine().getOut(), RunJson.of(p, outcome));
      } else {
        new RunReport(console(), p, outcome).print();
      }
      return outcome.fine() ? Failures.FINE : Failures.WRONG;
    }
  }

  private Outcome play(Platform p, PlatformDescription description) {
    try (Progress progress = progress("playing the scenario")) {
      List<StepResult> steps = new Player(p).play(description.scenario());
      Isolation isolation = Isolation.of(p, MOST_MAPPINGS);
      TrafficRunner runner = new TrafficRunner(p);
      List<Traffic> possible = description.traffic().stream().filter(runner::possible).toList();
      List<Throughput> traffic = new ArrayList<>();
      for (Traffic t : possible) {
        progress.now("measuring " + t.name());
        traffic.add(runner.run(t, TRAFFIC_SECONDS / possible.size()));
      }
      Map<String, Map<String, Long>> statistics = new LinkedHashMap<>();
      for (Unit u : p.units()) {
        statistics.put(u.name(), u.iommu().statistics());
      }
      return new Outcome(description, steps, isolation, traffic, statistics);
    }
  }

  private int look(Path folder) throws IOException {
    PlatformSource.refuseForCapture(arch, cache);
    try (Progress progress = progress("reading " + folder);
        Platform p = Platform.ofCapture(folder)) {
      progress.now("looking at " + p.endpoints().size() + " devices");
      Isolation isolation = Isolation.of(p, MOST_MAPPINGS);
      if (json) {
        Json.print(spec.commandLine().getOut(), CaptureReport.json(p, isolation));
      } else {
        new CaptureReport(console(), p, isolation, all).print();
      }
      return Failures.FINE;
    }
  }
}
