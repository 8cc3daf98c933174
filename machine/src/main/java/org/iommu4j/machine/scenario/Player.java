package org.iommu4j.machine.scenario;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.driver.DriverException;
import org.iommu4j.machine.Endpoint;
import org.iommu4j.machine.Ledger;
import org.iommu4j.machine.Platform;
import org.iommu4j.machine.Unit;
import org.iommu4j.machine.description.PlatformDescription.Mapping;
import org.iommu4j.machine.description.Step;
import org.iommu4j.machine.description.Step.Expectation;
import org.iommu4j.machine.description.Units;
import org.iommu4j.machine.scenario.StepResult.Outcome;

/**
 * Plays a scenario on a platform, one step at a time; after each the CPU services the units, so
 * that a fault is found with the step that caused it.
 *
 * <p>Nothing is taken on trust: data that was written is looked for in memory, data that was read
 * is compared with memory, a message must have been latched, and a blocked access must leave a
 * record with the driver.
 */
public final class Player {
  private final Platform platform;
  private int number;

  /** A player for the platform. */
  public Player(Platform platform) {
    this.platform = platform;
  }

  /** Plays all steps. */
  public List<StepResult> play(List<Step> steps) {
    List<StepResult> results = new ArrayList<>();
    play(steps, results::add);
    return results;
  }

  /** Plays all steps, and hands over each result when it is there. */
  public void play(List<Step> steps, Consumer<StepResult> results) {
    for (Step step : steps) {
      results.accept(play(step));
    }
  }

  /** Plays one step. */
  public StepResult play(Step step) {
    number++;
    return switch (step) {
      case Step.Device s -> new DeviceStep(platform, number, s).play();
      case Step.Map s -> map(s);
      case Step.Unmap s -> unmap(s);
      case Step.Attach s -> {
        Endpoint endpoint = endpoint(platform, s.device());
        Ledger.Account account = platform.ledger().account(s.domain());
        yield attachment(
            s,
            endpoint,
            s.pasid(),
            "attach to " + s.domain(),
            () -> platform.ledger().attach(account, endpoint, s.pasid()));
      }
      case Step.Detach s -> {
        Endpoint endpoint = endpoint(platform, s.device());
        yield attachment(
            s, endpoint, s.pasid(), "detach", () -> platform.ledger().detach(endpoint, s.pasid()));
      }
    };
  }

  static Endpoint endpoint(Platform platform, String device) {
    return platform
        .endpoint(device)
        .orElseThrow(() -> new IllegalArgumentException("no device is called '" + device + "'"));
  }

  static boolean lacksPasids(Endpoint endpoint, int pasid) {
    return pasid != DmaRequest.NO_PASID && endpoint.unit().driver().capabilities().pasidBits() == 0;
  }

  private StepResult map(Step.Map s) {
    Ledger.Account account = platform.ledger().account(s.domain());
    Mapping m = s.mapping();
    String action =
        "map %s %s at %s"
            .formatted(
                Units.size(m.size()), Access.permissions(m.permissions()), Units.address(m.iova()));
    return command(
        s,
        s.domain(),
        action,
        account.unit(),
        () -> {
          return "leads to " + Units.address(platform.ledger().map(account, m).pa());
        });
  }

  private StepResult unmap(Step.Unmap s) {
    Ledger.Account account = platform.ledger().account(s.domain());
    return command(
        s,
        s.domain(),
        "unmap %s at %s".formatted(Units.size(s.size()), Units.address(s.iova())),
        account.unit(),
        () -> {
          long bytes = platform.ledger().unmap(account, s.iova(), s.size());
          return bytes == s.size() ? "" : Units.size(bytes) + " were mapped";
        });
  }

  private StepResult attachment(
      Step s, Endpoint endpoint, int pasid, String action, Runnable change) {
    String actor = endpoint.label(pasid);
    return lacksPasids(endpoint, pasid)
        ? skipped(number, s, actor, action, "the unit has no PASIDs")
        : command(
            s,
            actor,
            action,
            endpoint.unit(),
            () -> {
              change.run();
              return "";
            });
  }

  static StepResult skipped(int number, Step step, String actor, String action, String why) {
    return new StepResult(
        number,
        step,
        actor,
        action,
        Outcome.SKIPPED,
        null,
        0,
        List.of(),
        List.of(),
        null,
        why,
        List.of());
  }

  /** Something that the driver does: it succeeds, or the driver refuses. */
  private StepResult command(
      Step step, String actor, String action, Unit unit, Supplier<String> work) {
    Outcome outcome = Outcome.OK;
    String detail;
    try {
      detail = work.get();
    } catch (IllegalArgumentException | IllegalStateException | DriverException e) {
      outcome = Outcome.REFUSED;
      detail = String.valueOf(e.getMessage());
    }
    List<String> conditions = new ArrayList<>();
    List<Fault> faults = unit.service(conditions);
    List<String> objections = new ArrayList<>();
    compare(step.expect(), outcome, objections);
    if (!faults.isEmpty()) {
      objections.add("the unit reported a fault although no device did anything");
    }
    return new StepResult(
        number,
        step,
        actor,
        action,
        outcome,
        null,
        0,
        faults,
        conditions,
        null,
        detail,
        objections);
  }

  static void compare(Expectation expected, Outcome outcome, List<String> objections) {
    if (!expected.name().equals(outcome.name())) {
      objections.add("expected %s, was %s".formatted(words(expected), words(outcome)));
    }
  }

  private static String words(Enum<?> e) {
    return e.name().toLowerCase(Locale.ROOT);
  }
}
