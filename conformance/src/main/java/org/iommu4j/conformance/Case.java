package org.iommu4j.conformance;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.machine.capture.StrictObject;
import org.jspecify.annotations.Nullable;

/**
 * One line of a vector file: a unit to build, and what happens to it.
 *
 * @param id its name, unique
 * @param arch the architecture's id
 * @param note what it is about
 * @param advisory whether it leans on behaviour that the specification leaves open
 * @param options the settings of the unit
 * @param steps what is done, in order
 * @param sources the same steps as they are written, for messages
 * @param format the format that read it
 */
public record Case<B extends Bench>(
    String id,
    String arch,
    String note,
    boolean advisory,
    Map<String, String> options,
    List<Step<? super B>> steps,
    List<StrictObject> sources,
    Format<B> format) {

  /** The option of every architecture that says how much a unit caches. */
  static final String CACHE = "cache";

  /** A whole step, unless it carries pages of bytes: the longest expectation has 500 characters. */
  private static final int STEP_TEXT = 800;

  /**
   * Runs it on a unit of its own, up to the first step that differs.
   *
   * @return null if everything came out as expected
   */
  public @Nullable CaseFailure run(Architecture architecture, CacheBehaviour cache) {
    Map<String, String> settings = new HashMap<>(options);
    settings.put(CACHE, CacheMode.text(cache));
    int at = CaseFailure.SETUP;
    try (B bench = format.bench(architecture, Options.of(settings), arch)) {
      for (at = 0; at < steps.size(); at++) {
        List<Difference> found = steps.get(at).run(bench);
        if (found.isEmpty() && !bench.messages().isEmpty() && !messagesTakenAt(at + 1)) {
          Record message = bench.messages().take();
          found = List.of(new Difference("message", "none", Mailbox.describe(message)));
        }
        if (!found.isEmpty()) {
          return failure(at, found);
        }
      }
      return null;
    } catch (Options.InvalidOption e) {
      return failure(
          at,
          List.of(
              new Difference(
                  "options", "a unit with these settings", String.valueOf(e.getMessage()))));
    } catch (RuntimeException | StackOverflowError | AssertionError e) {
      return failure(at, List.of(new Difference("model", "no exception", thrown(e))));
    }
  }

  private boolean messagesTakenAt(int step) {
    return step < steps.size() && steps.get(step).takesMessages();
  }

  private CaseFailure failure(int at, List<Difference> differences) {
    String text =
        at < 0 ? "build a unit of " + arch + " with " + options : sources.get(at).text(STEP_TEXT);
    return new CaseFailure(id, note, at, text, differences);
  }

  /** The exception, and the first places of it that name the house's own code. */
  private static String thrown(Throwable e) {
    StringBuilder text = new StringBuilder(e.toString());
    int left = 3;
    for (StackTraceElement place : e.getStackTrace()) {
      if (left > 0 && place.getClassName().startsWith("org.iommu4j.")) {
        text.append(" at ").append(place);
        left--;
      }
    }
    return text.toString();
  }
}
