package org.iommu4j.conformance;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.machine.capture.StrictObject;

/**
 * An interrupt message of a PC as a local APIC takes it.
 *
 * @param cpu the APIC id
 * @param vector the vector
 * @param trigger {@code edge} or {@code level}; {@code any} in an expectation that does not say
 */
public record Interrupt(int cpu, int vector, String trigger) {
  /** The trigger of an expectation that does not say. */
  public static final String ANY = "any";

  /**
   * Destination in address bits 19:12, its bits 31:8 in address bits 63:40; vector in data bits
   * 7:0, trigger mode in bit 15.
   */
  public static Interrupt of(long address, long data) {
    return new Interrupt(
        (int) (address >>> 12 & 0xff | address >>> 40 << 8),
        (int) (data & 0xff),
        (data & 1 << 15) != 0 ? "level" : "edge");
  }

  /** Expected interrupts. */
  public static List<Interrupt> read(List<StrictObject> list) {
    List<Interrupt> all = new ArrayList<>();
    for (StrictObject fields : list) {
      all.add(
          new Interrupt(
              fields.integer("cpu", 0, 255),
              fields.integer("vector", 0, 255),
              fields.has("trigger") ? fields.choice("trigger", "edge", "level") : ANY));
      fields.finish();
    }
    return all;
  }

  /** What differs between the expected interrupts and those that arrived, in order. */
  public static List<Difference> compare(List<Interrupt> expected, List<Interrupt> arrived) {
    boolean same = expected.size() == arrived.size();
    for (int i = 0; same && i < expected.size(); i++) {
      same = expected.get(i).accepts(arrived.get(i));
    }
    return same
        ? List.of()
        : new Differences().add("interrupts", describe(expected), describe(arrived)).list();
  }

  private boolean accepts(Interrupt found) {
    return cpu == found.cpu
        && vector == found.vector
        && (trigger.equals(ANY) || trigger.equals(found.trigger));
  }

  private static String describe(List<Interrupt> all) {
    return all.isEmpty()
        ? "none"
        : String.join(
            "; ",
            all.stream()
                .map(
                    i ->
                        "cpu %d vector %d%s"
                            .formatted(
                                i.cpu, i.vector, i.trigger.equals(ANY) ? "" : " " + i.trigger))
                .toList());
  }
}
