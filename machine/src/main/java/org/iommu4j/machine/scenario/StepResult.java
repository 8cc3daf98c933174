package org.iommu4j.machine.scenario;

import java.util.List;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.machine.description.Step;
import org.jspecify.annotations.Nullable;

/**
 * What became of a step.
 *
 * @param number from 1
 * @param step the step
 * @param actor the device (with PASID) or domain that acts
 * @param action what it does, in a few words
 * @param outcome what became of it
 * @param pa where the first byte led; null if nowhere, or the step is no access
 * @param permissions what was granted there
 * @param faults what the unit reported and the driver decoded
 * @param conditions what the driver met besides faults
 * @param walk how the address is translated at which the access began, or was stopped; null if the
 *     step is no access
 * @param detail more for people, or empty
 * @param objections what is not as it should be; empty if all is well
 */
public record StepResult(
    int number,
    Step step,
    String actor,
    String action,
    Outcome outcome,
    @Nullable Long pa,
    int permissions,
    List<Fault> faults,
    List<String> conditions,
    Inspector.@Nullable Walk walk,
    String detail,
    List<String> objections) {

  /** What became of a step. */
  public enum Outcome {
    /** Carried out. */
    OK,
    /** Blocked by the IOMMU. */
    BLOCKED,
    /** Translated, but nothing answers there. */
    ABORTED,
    /** Refused by the driver. */
    REFUSED,
    /** Not played, because this unit cannot do it. */
    SKIPPED
  }

  /** Copies the lists. */
  public StepResult {
    faults = List.copyOf(faults);
    conditions = List.copyOf(conditions);
    objections = List.copyOf(objections);
  }

  /** Whether all is as it should be. */
  public boolean asExpected() {
    return objections.isEmpty();
  }
}
