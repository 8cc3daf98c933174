package org.iommu4j.conformance.qemu;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Differences;
import org.iommu4j.machine.capture.StrictObject;

/**
 * An interrupt message of a PC as a local APIC takes it.
 *
 * @param cpu the APIC id
 * @param vector the vector
 * @param trigger {@code edge} or {@code level}; {@code any} in an expectation that does not say
 */
record Interrupt(int cpu, int vector, String trigger) {
  private static final String ANY = "any";

  /** Destination in address bits 19:12; vector in data bits 7:0, trigger mode in bit 15. */
  static Interrupt of(long offset, long data) {
    return new Interrupt(
        (int) (offset >>> 12 & 0xff),
        (int) (data & 0xff),
        (data & 1 << 15) != 0 ? "level" : "edge");
  }

  /** Expected interrupts. */
  static List<Interrupt> read(List<StrictObject> list) {
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
  static List<Difference> compare(List<Interrupt> expected, List<Interrupt> arrived) {
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
