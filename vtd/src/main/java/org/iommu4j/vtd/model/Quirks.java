package org.iommu4j.vtd.model;

import java.util.List;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.Options;

/**
 * Where known units and emulators differ from the specification or from each other, as switches: so
 * that software which met such a unit can be tested. All are off by default.
 *
 * @param collapseFaults a fault of a requester that has a record pending is dropped (permitted, on)
 * @param reversedBusRange SVT = 10b takes SID[15:8] as the last bus and SID[7:0] as the first
 *     (QEMU)
 * @param upperDataChecked MSI data bits 31:16 have to be 0 even without sub-handle (VirtualBox)
 * @param pageEventUnmasked PECTL_REG resets to 0 (QEMU)
 * @param legacyCodes scalable-mode faults carry the codes of legacy mode where there are such
 *     (QEMU)
 * @param compatibilityPasses compatibility-format interrupts are never blocked (QEMU)
 * @param transientMapping bit 62 of a second-stage leaf is accepted with device-TLBs (QEMU)
 * @param queueWaitsForTail clearing FSTS.IQE does not resume the queue, the next tail does (QEMU)
 */
record Quirks(
    boolean collapseFaults,
    boolean reversedBusRange,
    boolean upperDataChecked,
    boolean pageEventUnmasked,
    boolean legacyCodes,
    boolean compatibilityPasses,
    boolean transientMapping,
    boolean queueWaitsForTail) {

  static final List<Option> OPTIONS =
      List.of(
          new Option(
              "collapse_faults",
              "flag",
              "true",
              "faults of a requester with a pending record are dropped"),
          new Option(
              "quirk.reversed_bus_range", "flag", "false", "SVT 10b: SID is last bus, first bus"),
          new Option(
              "quirk.upper_data_checked", "flag", "false", "MSI data 31:16 must always be 0"),
          new Option("quirk.page_event_unmasked", "flag", "false", "PECTL_REG resets to 0"),
          new Option(
              "quirk.legacy_codes", "flag", "false", "scalable mode reports legacy fault codes"),
          new Option(
              "quirk.compatibility_passes",
              "flag",
              "false",
              "compatibility-format interrupts are never blocked"),
          new Option(
              "quirk.transient_mapping",
              "flag",
              "false",
              "bit 62 of second-stage leaves is accepted with ECAP.DT"),
          new Option(
              "quirk.queue_waits_for_tail",
              "flag",
              "false",
              "a stopped invalidation queue resumes with the next tail only"));

  static Quirks of(Options o) {
    return new Quirks(
        o.flag("collapse_faults", true),
        o.flag("quirk.reversed_bus_range", false),
        o.flag("quirk.upper_data_checked", false),
        o.flag("quirk.page_event_unmasked", false),
        o.flag("quirk.legacy_codes", false),
        o.flag("quirk.compatibility_passes", false),
        o.flag("quirk.transient_mapping", false),
        o.flag("quirk.queue_waits_for_tail", false));
  }
}
