package org.iommu4j.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;
import org.iommu4j.machine.capture.StrictObject;
import org.jspecify.annotations.Nullable;

/**
 * One vector format: how a line is read, and what its cases run on. Which format a line has is told
 * by its {@code id}.
 *
 * @param <B> what its cases run on
 */
public abstract class Format<B extends Bench> {
  /** For subclasses. */
  protected Format() {}

  /** Whether cases with this id are written in this format. */
  public abstract boolean owns(String id);

  /**
   * Reads one line.
   *
   * @throws StrictObject.Malformed if a field or step is missing, wrong or unknown
   */
  public final Case<B> read(StrictObject row) {
    String id = row.text("id");
    String arch = row.text("arch");
    String note = row.text("note");
    boolean advisory = advisory(row);
    StrictObject setup = row.object("setup");
    Map<String, String> options = options(arch, setup);
    setup.finish();
    List<Step<? super B>> steps = new ArrayList<>();
    List<StrictObject> sources = new ArrayList<>();
    for (StrictObject source : row.objects("steps")) {
      StrictObject fields = source.as("steps[" + steps.size() + "]");
      String action = fields.text("do");
      fields = fields.as(fields.what() + " '" + action + "'");
      fields.text("do");
      Step<? super B> step = step(action, fields, arch);
      if (step == null) {
        throw new StrictObject.Malformed(
            "steps[%d]: unknown step '%s' in case %s".formatted(steps.size(), action, id));
      }
      fields.finish();
      steps.add(step);
      sources.add(fields);
    }
    row.finish();
    return new Case<>(id, arch, note, advisory, options, steps, sources, this);
  }

  /** Whether the case must not be held against a model, as far as the format knows such cases. */
  protected boolean advisory(StrictObject row) {
    return false;
  }

  /** The settings of the unit that {@code setup} describes. */
  protected abstract Map<String, String> options(String arch, StrictObject setup);

  /**
   * Reads one step; what it does not ask for is an error.
   *
   * @return null if there is no such step
   */
  protected abstract @Nullable Step<? super B> step(
      String action, StrictObject fields, String arch);

  /** What one case runs on, in the state in which every case begins. */
  protected abstract B bench(Architecture architecture, Options options, String arch);
}
