package org.iommu4j.amdvi.linux;

import static org.iommu4j.amdvi.linux.Known.DEVICE;
import static org.iommu4j.amdvi.linux.Known.HEX;
import static org.iommu4j.amdvi.linux.Known.error;
import static org.iommu4j.amdvi.linux.Known.hex;
import static org.iommu4j.amdvi.linux.Known.of;
import static org.iommu4j.amdvi.linux.Known.state;
import static org.iommu4j.amdvi.linux.Known.warning;

import java.util.List;
import java.util.regex.Matcher;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.KernelMessage.Kind;
import org.iommu4j.core.bits.FieldText;

/** Lines about units: what they can do, how they are set up, what went wrong with them. */
final class UnitMessages {
  private static final String LOST =
      "The log was full, so events between then and now are lost. A device that faults all the"
          + " time is the usual cause: look at the events before.";

  private static final String STUCK =
      "The unit did not come to the end of its commands in 0.1 s: it is off, hangs, or a device"
          + " does not answer an invalidation of its translation cache.";

  static final List<Known> ALL =
      List.of(
          state(
              "Found IOMMU (?:at (?<unit>" + DEVICE + ") )?cap 0x[0-9a-f]+",
              "The unit's capability block is at this offset of its configuration space."),
          state(
              "Enabling IOMMU at (?<unit>" + DEVICE + ") cap 0x[0-9a-f]+",
              "The unit translates from here on."),
          of(
              Kind.STATE,
              "Extended features \\(" + HEX + "(?:, " + HEX + ")?\\):.*",
              m -> "The units have: %s.".formatted(features(m))),
          state("Extended features:.*", "What the units have, by name."),
          of(
              Kind.STATE,
              "Using global IVHD EFR:" + HEX + ", EFR2:" + HEX,
              m ->
                  "What all units have, as IVRS tells: %s."
                      .formatted(UnitText.summary(hex(m, 1), hex(m, 2)))),
          of(
              Kind.ERROR,
              "Found inconsistent EFR/EFR2 "
                  + HEX
                  + ","
                  + HEX
                  + " \\(global "
                  + HEX
                  + ","
                  + HEX
                  + "\\) on iommu\\d+"
                  + " \\((?<unit>"
                  + DEVICE
                  + ")\\)\\.",
              m ->
                  "The unit differs from the others; what not all have is not used. Different: "
                      + difference(hex(m, 1) ^ hex(m, 3), hex(m, 2) ^ hex(m, 4))),
          of(
              Kind.WARNING,
              "EFR mismatch\\. Use IVHD EFR \\("
                  + HEX
                  + " : "
                  + HEX
                  + "\\)"
                  + "(?:, EFR2 \\("
                  + HEX
                  + " : "
                  + HEX
                  + "\\))?\\.",
              m ->
                  "IVRS and the unit's registers disagree, and IVRS counts. Different: "
                      + difference(
                          hex(m, 1) ^ hex(m, 2), m.group(3) == null ? 0 : hex(m, 3) ^ hex(m, 4))),
          warning(
              "Host Address Translation is not supported\\.",
              "IVRS says that the unit has no host tables: guest tables are used, or none."),
          warning(
              "Disable host address translation due to invalid translation level \\("
                  + HEX
                  + "\\)"
                  + "\\.",
              "EFR.HATS is reserved, so host tables are not used: guest tables are, or none."),
          warning(
              "Cannot enable v2 page table for DMA-API\\. Fallback to v1\\.",
              "The units lack guest tables for requests without PASID (EFR.GTSup and GIOSup)."),
          of(
              Kind.STATE,
              "V2 page table enabled(?: \\(Paging mode : (\\d) level\\))?",
              m ->
                  "Devices' addresses are translated by guest tables"
                      + (m.group(1) == null ? "." : " of " + m.group(1) + " levels.")),
          state(
              "Using strict mode due to virtualization",
              "Capability NpCache says that the unit is emulated: each unmap invalidates before it"
                  + " returns, and each map, too."),
          state("Interrupt remapping enabled", "Interrupts are remapped."),
          state(
              "(?:X2APIC|x2apic) enabled",
              "Remapped interrupts reach processors with 32-bit APIC ids (Control.XTEn)."),
          state(
              "[Vv]irtual APIC enabled",
              "Interrupts of devices can go straight to a running guest (Control.GAMEn)."),
          warning(
              "Force to disable Virtual APIC due to SNP",
              "SEV-SNP is on and Extended Feature 2 lacks SNPAVICSup: interrupts reach guests by"
                  + " the host."),
          of(
              Kind.STATE,
              "iommu(\\d+) \\(" + HEX + "\\) : IRT cache is (disabled|enabled)",
              m ->
                  m.group(3).equals("disabled")
                      ? "Unit %s does not cache interrupt entries (Control.IRTCacheDis)."
                          .formatted(m.group(1))
                      : "Unit %s caches interrupt entries; it cannot do without."
                          .formatted(m.group(1))),
          state(
              "(?:Applying erratum 746 workaround|Applying ATS write check workaround)"
                  + "(?: for IOMMU at (?<unit>"
                  + DEVICE
                  + "))?",
              "An erratum of family 15h that firmware should have seen to."),
          of(
              Kind.STATE,
              "Applying erratum: Increase (Event|PPR) log size to " + HEX,
              m ->
                  "An erratum of family 19h with SEV-SNP: the %s log has %d entries."
                      .formatted(m.group(1), hex(m, 2) / 16)),
          state("IOMMU performance counters supported", "The unit counts what it does; see perf."),
          error(
              "Unable to (?:read/write to|write to) IOMMU perf counter\\.?",
              "The unit's performance counters do not keep what is written: they are not used."),
          error(
              "IOMMU(\\d+): Failed to initialize IOMMU Hardware \\(error=-?\\d+\\)!",
              "The unit could not be set up: DMA is not remapped."),
          state("IOMMU (?:Event|PPR|GA) log restarting", LOST),
          error("IOMMU (?:event|[Ee]vt|PPR|GA) log overflow", LOST),
          state("Processing IOMMU (?:\\(ivhd\\d+\\) )?\\w+ Log", "The driver reads a log."),
          error("(?:IOMMU (?<unit>" + DEVICE + "): )?Completion-Wait loop timed out", STUCK),
          error("Command buffer timeout", STUCK),
          error(
              "No event written to event log",
              "The unit said that there is an event and wrote none (erratum 732)."),
          state("Unknown PPR request received", "An entry of the PPR log is no page request."),
          warning(
              "Invalid PASID : 0x[0-9a-f]+, device : 0x[0-9a-f]+",
              "A page request with PASID 0 or one beyond the device's: it is answered as failed."),
          error(
              "GA log notifier failed\\.",
              "An interrupt came for a guest that does not run, and KVM does not know it."),
          warning(
              "Failed to allocate IRTE",
              "The device's interrupt table is full or memory was short: it gets no interrupt."));

  private UnitMessages() {}

  private static String features(Matcher m) {
    return UnitText.summary(hex(m, 1), m.group(2) == null ? 0 : hex(m, 2));
  }

  private static String difference(long efr, long efr2) {
    String first = efr == 0 ? "" : FieldText.of(ExtendedFeatures.FIELDS, efr);
    String second = efr2 == 0 ? "" : FieldText.of(ExtendedFeatures.REGISTER_2.fields(), efr2);
    return (first + " " + second).strip() + ".";
  }
}
