package org.iommu4j.conformance;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What came of one vector file or capture.
 *
 * @param name as the user reached it
 * @param passed cases that came out as expected
 * @param failed cases that did not
 * @param disputed cases of {@link Disputes}: neither passed nor failed
 * @param advisory cases that must not be held against a model, whatever came out
 * @param advisoryHeld those of them that came out as expected
 * @param failures the first of the failed ones
 * @param notices what a reader should know beside the counts
 * @param skipped whether nothing was run, for the reason in {@code notices}
 * @param error why the file could not be used, or not to its end; null if it could
 */
public record FileReport(
    String name,
    int passed,
    int failed,
    int disputed,
    int advisory,
    int advisoryHeld,
    List<CaseFailure> failures,
    List<String> notices,
    boolean skipped,
    @Nullable String error) {
  /** Copies the lists. */
  public FileReport {
    failures = List.copyOf(failures);
    notices = List.copyOf(notices);
  }

  /** A file that is not run. */
  static FileReport skipped(String name, String why) {
    return new FileReport(name, 0, 0, 0, 0, 0, List.of(), List.of(why), true, null);
  }

  /** Input of which nothing could be used. */
  static FileReport unusable(String name, String why) {
    return new FileReport(name, 0, 0, 0, 0, 0, List.of(), List.of(), false, why);
  }

  /** Cases that were run. */
  public int cases() {
    return passed + failed + disputed + advisory;
  }
}
