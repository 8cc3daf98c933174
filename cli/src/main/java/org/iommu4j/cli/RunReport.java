package org.iommu4j.cli;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.iommu4j.cli.Console.Style;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.machine.DeviceInterrupt;
import org.iommu4j.machine.Endpoint;
import org.iommu4j.machine.InterruptTarget;
import org.iommu4j.machine.Platform;
import org.iommu4j.machine.Unit;
import org.iommu4j.machine.description.Step;
import org.iommu4j.machine.description.Units;
import org.iommu4j.machine.reach.Isolation;
import org.iommu4j.machine.scenario.StepResult;
import org.iommu4j.machine.scenario.StepResult.Outcome;
import org.iommu4j.machine.scenario.Throughput;
import org.jspecify.annotations.Nullable;

/** What a run came to, for people. */
final class RunReport {
  private final Console console;
  private final Platform platform;
  private final RunCommand.Outcome run;

  RunReport(Console console, Platform platform, RunCommand.Outcome run) {
    this.console = console;
    this.platform = platform;
    this.run = run;
  }

  void print() {
    heading();
    steps();
    blocked();
    new MatrixText(console).print(run.isolation());
    interrupts();
    statistics();
    traffic();
    summary();
    console.flush();
  }

  private void heading() {
    console.line(
        console.styled(Style.TITLE, platform.name())
            + (platform.about().isEmpty() ? "" : ": " + platform.about()));
    Table table = new Table("", "", "").indent(2);
    for (Unit u : platform.units()) {
      table.row(u.name(), Units.address(u.base()), u.architecture().specification());
    }
    for (InterruptTarget t : platform.targets()) {
      table.row(t.name(), Units.address(t.base()), "takes interrupts");
    }
    for (Endpoint e : platform.endpoints()) {
      table.row(
          e.name(),
          e.id(),
          e.about() + (e.pasids().isEmpty() ? "" : ", PASIDs " + list(e.pasids())));
    }
    table.print(console);
    platform.notes().forEach(n -> console.line("  " + console.styled(Style.NOTICE, n)));
  }

  private static String list(List<Integer> numbers) {
    return String.join(", ", numbers.stream().map(String::valueOf).toList());
  }

  private void steps() {
    if (run.steps().isEmpty()) {
      return;
    }
    console.title("What happened");
    Table table = new Table(">#", "who", "does", "result", "");
    for (StepResult s : run.steps()) {
      table.row(s.number(), s.actor(), s.action(), result(s), Table.cell(Style.FAINT, note(s)));
    }
    table.print(console);
    for (StepResult s : run.steps()) {
      if (!s.asExpected()) {
        console.line(
            console.styled(
                Style.ALARM,
                "  step %d (%s:%s): %s"
                    .formatted(
                        s.number(),
                        run.description().file(),
                        s.step().at(),
                        String.join("; ", s.objections()))));
      }
    }
  }

  private static String note(StepResult s) {
    if (s.outcome() == Outcome.SKIPPED) {
      return s.detail();
    }
    Integer as = s.step() instanceof Step.Device d ? d.as() : null;
    String spoofed = as == null ? "" : "as " + Units.requester(as) + ": ";
    return spoofed + s.step().note();
  }

  private static Table.Cell result(StepResult s) {
    Style style =
        !s.asExpected()
            ? Style.ALARM
            : switch (s.outcome()) {
              case OK -> Style.GOOD;
              case SKIPPED -> Style.FAINT;
              default -> Style.BAD;
            };
    Long pa = s.pa();
    String text =
        s.outcome() != Outcome.OK
            ? s.outcome().name().toLowerCase(Locale.ROOT)
            : s.step() instanceof Step.Msi
                ? s.detail()
                : pa == null ? "done" : "-> " + Units.address(pa);
    return Table.cell(style, text);
  }

  private void blocked() {
    List<StepResult> stopped =
        run.steps().stream()
            .filter(s -> s.outcome() == Outcome.BLOCKED || s.outcome() == Outcome.REFUSED)
            .toList();
    if (stopped.isEmpty()) {
      return;
    }
    console.title("What was blocked, and why");
    Set<String> explained = new HashSet<>();
    for (StepResult s : stopped) {
      String note = note(s);
      boolean partly = s.outcome() == Outcome.BLOCKED && !s.detail().isEmpty();
      console.line(
          "%4d  %s %s%s%s"
              .formatted(
                  s.number(),
                  s.actor(),
                  s.action(),
                  note.isEmpty() ? "" : ": " + note,
                  partly ? " (" + s.detail() + ")" : ""));
      if (s.outcome() == Outcome.REFUSED) {
        console.paragraph(
            6, console.styled(Style.BAD, "refused by the driver") + ": " + s.detail());
        continue;
      }
      FaultReason reason = reason(s);
      console.paragraph(6, fault(s, reason));
      Inspector.Walk walk = s.walk();
      // One walk for each way of failing; the others would look the same.
      if (walk != null && !walk.steps().isEmpty() && explained.add(shape(walk, reason))) {
        if (reason != null) {
          console.paragraph(6, reason.advice());
        }
        new WalkText(console).brief(8, walk);
      }
    }
  }

  /** How a walk ended: the reason, and whether the last entry had anything in it. */
  private static String shape(Inspector.Walk walk, @Nullable FaultReason reason) {
    boolean empty = walk.steps().getLast().raw().stream().allMatch(w -> w == 0);
    return (reason == null ? "" : reason.name()) + (empty ? " empty" : "");
  }

  private static @Nullable FaultReason reason(StepResult s) {
    if (!s.faults().isEmpty()) {
      return s.faults().getFirst().reason();
    }
    Inspector.Walk walk = s.walk();
    return walk == null ? null : walk.reason();
  }

  private String fault(StepResult s, @Nullable FaultReason reason) {
    StringBuilder text = new StringBuilder();
    if (reason != null) {
      text.append(
          console.styled(Style.BAD, "%s (%s)".formatted(reason.title(), reason.codeText())));
    }
    if (s.faults().isEmpty()) {
      text.append(", no record");
    } else {
      Fault f = s.faults().getFirst();
      text.append(": ").append(f.transaction()).append(" at ");
      text.append(Units.address(f.address())).append(" by ").append(Units.requester(f.source()));
      if (f.pasid() >= 0) {
        text.append(" PASID ").append(f.pasid());
      }
    }
    return text.toString();
  }

  private void interrupts() {
    if (platform.targets().isEmpty()) {
      return;
    }
    if (!platform.ledger().interrupts().isEmpty()) {
      console.title("Interrupts of devices");
      Table own = new Table("", "device", "is programmed with", "arrives at", ">as", ">times");
      for (DeviceInterrupt i : platform.ledger().interrupts()) {
        own.row(
            i.name(),
            i.endpoint().name(),
            "%d to %s".formatted(i.message().data(), Units.address(i.message().address())),
            i.target().name(),
            i.data(),
            i.target().count(i.data()));
      }
      own.print(console);
    }
    console.title("Interrupts that were latched");
    Table table = new Table("", "");
    for (InterruptTarget t : platform.targets()) {
      List<String> all = new ArrayList<>();
      t.latched()
          .forEach(
              (identity, times) ->
                  all.add(
                      (identity & 0xffff_ffffL) + (times == 1 ? "" : " (" + times + " times)")));
      table.row(t.name(), all.isEmpty() ? "none" : String.join(", ", all));
    }
    table.print(console);
  }

  private void statistics() {
    run.statistics()
        .forEach(
            (unit, counters) -> {
              console.title("Counters of " + unit);
              new Counters(console).print(counters);
            });
  }

  private void traffic() {
    if (run.traffic().isEmpty()) {
      return;
    }
    console.title(
        "Throughput, on %d processors".formatted(Runtime.getRuntime().availableProcessors()));
    Table table =
        new Table(
            "traffic",
            "device",
            "accesses",
            ">threads",
            ">M/s",
            ">MiB/s",
            ">ns",
            ">bare ns",
            ">hits");
    for (Throughput t : run.traffic()) {
      FaultReason why = t.blocked();
      if (why != null) {
        table.row(t.traffic().name(), t.actor(), Table.cell(Style.BAD, "blocked: " + why.title()));
        continue;
      }
      long lookups = t.hits() + t.misses();
      table.row(
          t.traffic().name(),
          t.actor(),
          "%s of %s %s %s"
              .formatted(
                  t.traffic().write() ? "writes" : "reads",
                  Units.size(t.traffic().access()),
                  t.traffic().random() ? "at random in" : "in order in",
                  Units.size(t.traffic().size())),
          t.traffic().threads(),
          number("%.1f", t.perSecond() / 1e6),
          number("%.0f", t.bytesPerSecond() / (1 << 20)),
          number("%.1f", t.nanosPerAccess()),
          t.bareNanos() == 0 ? "" : number("%.1f", t.bareNanos()),
          t.hits() < 0 || lookups == 0 ? "" : number("%.1f%%", 100.0 * t.hits() / lookups));
    }
    table.print(console);
    console.line(
        console.styled(
            Style.FAINT,
            "  M/s: million accesses a second, all threads; ns: one access; bare: without IOMMU"));
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  private void summary() {
    console.line();
    List<String> parts = new ArrayList<>();
    Map<Outcome, Long> counts =
        run.steps().stream()
            .collect(
                Collectors.groupingBy(StepResult::outcome, TreeMap::new, Collectors.counting()));
    counts.forEach((o, n) -> parts.add(n + " " + o.name().toLowerCase(Locale.ROOT)));
    console.line("%d steps: %s".formatted(run.steps().size(), String.join(", ", parts)));
    List<Isolation.Difference> differences = run.isolation().differences();
    if (run.fine()) {
      console.line(
          console.styled(
              Style.GOOD, "all as expected, and no device reaches more than it was given"));
    } else {
      console.line(
          console.styled(
              Style.ALARM,
              "%d steps are not as expected, the tables differ from what was mapped in %d places"
                  .formatted(run.unexpected(), differences.size())));
    }
  }
}
