package org.iommu4j.conformance;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Counts the cases of one file while they are run. */
public final class Tally {
  private final String name;
  private final Conformance.Settings settings;
  private final Disputes disputes;
  private final Runnable counted;
  private final List<CaseFailure> failures = new ArrayList<>();
  private final List<String> notices = new ArrayList<>();
  private int passed;
  private int failed;
  private int disputed;
  private int advisory;
  private int advisoryHeld;

  Tally(String name, Conformance.Settings settings, Disputes disputes, Runnable counted) {
    this.name = name;
    this.settings = settings;
    this.disputes = disputes;
    this.counted = counted;
  }

  /** Whether the case is to be run. */
  public boolean wants(String id) {
    return settings.filter().test(id);
  }

  /** Counts a case that was run; {@code failure} is null if it came out as expected. */
  public void count(String id, boolean advises, @Nullable CaseFailure failure) {
    counted.run();
    if (disputes.contains(id, settings.cache())) {
      disputed++;
      if (failure == null) {
        notices.add(id + " is disputed, but passes: take it off DISPUTED.md");
      }
    } else if (advises) {
      advisory++;
      advisoryHeld += failure == null ? 1 : 0;
    } else if (failure == null) {
      passed++;
    } else {
      failed++;
      if (failures.size() < settings.maxFailures()) {
        failures.add(failure);
      }
    }
  }

  /** Notes something that a reader should know beside the counts. */
  public void notice(String text) {
    notices.add(text);
  }

  /** The result; {@code error} says why the file could not be read to its end. */
  FileReport report(@Nullable String error) {
    return new FileReport(
        name, passed, failed, disputed, advisory, advisoryHeld, failures, notices, false, error);
  }
}
