package org.iommu4j.conformance;

import java.util.List;

/**
 * A case that did not come out as it should.
 *
 * @param id the case
 * @param note what it is about
 * @param step index of the step; {@link #SETUP} if its unit could not be built, {@link #WHOLE} if
 *     the case is one single thing
 * @param text what was done
 * @param differences what came out otherwise; not empty
 */
public record CaseFailure(
    String id, String note, int step, String text, List<Difference> differences) {
  /** The {@link #step} of a case whose unit could not be built. */
  public static final int SETUP = -1;

  /** The {@link #step} of a case that has no steps. */
  public static final int WHOLE = -2;

  /** Copies the list. */
  public CaseFailure {
    differences = List.copyOf(differences);
  }

  /** Where in the case, as text. */
  public String place() {
    return switch (step) {
      case SETUP -> "setup";
      case WHOLE -> "line";
      default -> "steps[" + step + "]";
    };
  }
}
