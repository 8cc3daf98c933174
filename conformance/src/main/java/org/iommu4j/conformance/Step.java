package org.iommu4j.conformance;

import java.util.List;

/**
 * One step of a case: something that is done to the unit or its memory, or looked at.
 *
 * @param <B> what it needs to run on
 */
@FunctionalInterface
public interface Step<B extends Bench> {
  /** Runs it; what it returns is what differed, empty if nothing did. */
  List<Difference> run(B bench);

  /** Whether it takes the messages that the step before it caused. */
  default boolean takesMessages() {
    return false;
  }
}
