package org.iommu4j.vtd.linux;

import static org.iommu4j.vtd.linux.Known.UNIT;
import static org.iommu4j.vtd.linux.Known.error;
import static org.iommu4j.vtd.linux.Known.state;
import static org.iommu4j.vtd.linux.Known.warning;

import java.util.List;

/** Lines about interrupt remapping, prefix {@code DMAR-IR}. */
final class RemapMessages {
  private static final String NO_ENTRY =
      "The unit's remapping table is full or memory was short: the device gets no interrupt.";

  static final List<Known> ALL =
      List.of(
          state(
              "IOAPIC id \\d+ under DRHD base  ?0x[0-9a-f]+(?: IOMMU \\d+)?",
              "This unit remaps the I/O APIC's interrupts, as a scope of its DRHD says."),
          state(
              "HPET id \\d+ under DRHD base 0x[0-9a-f]+",
              "This unit remaps the HPET's messages, as a scope of its DRHD says."),
          state(
              "Enabled IRQ remapping in x2apic mode",
              "Interrupts are remapped, to processors with 32-bit APIC ids."),
          state(
              "Enabled IRQ remapping in xapic mode",
              "Interrupts are remapped, to processors with 8-bit APIC ids: firmware opted out of"
                  + " x2APIC or a unit has no ECAP.EIM."),
          state(
              "Queued invalidation will be enabled to support x2apic and Intr-remapping\\.",
              "Interrupt remapping needs the invalidation queue; it is set up first."),
          warning(
              UNIT + " does not support EIM",
              "The unit knows only 8-bit APIC ids (ECAP.EIM is 0): no unit uses x2APIC then."),
          warning(
              "x2apic is disabled because BIOS sets x2apic opt out bit\\.",
              "DMAR's flag X2APIC_OPT_OUT is set: processors stay in xAPIC mode."),
          state(
              "Use 'intremap=no_x2apic_optout' to override (?:the )?BIOS (?:setting|request)\\.?",
              "The parameter makes the kernel ignore X2APIC_OPT_OUT."),
          warning(
              "Not enabling (?:interrupt remapping|interrupt-remapping)",
              "An I/O APIC or HPET is in no unit's scope, so interrupts stay as they are."),
          error(
              "ioapic \\d+ has no mapping iommu, interrupt remapping will be disabled",
              "DMAR has no scope for the I/O APIC: interrupts are not remapped at all, and devices"
                  + " can forge them. Look for an update of the firmware."),
          warning(
              "Failed to enable irq remapping\\..*",
              "Interrupts are not remapped: a device that is given to a guest can forge them."),
          warning(
              "This system BIOS has enabled interrupt remapping",
              "The chipset (5500, 5520, X58) remaps interrupts wrongly, so remapping stays off."),
          error(
              "Failed to setup irq remapping for " + UNIT,
              "The unit's remapping table or queue could not be set up: no unit remaps"
                  + " interrupts."),
          error(
              "Failed to enable queued invalidation",
              "The unit's invalidation queue could not be set up: interrupts are not remapped."),
          error("IR\\d+: failed to allocate .*", "Memory was short: interrupts are not remapped."),
          warning("IR\\d+: can't allocate an IRTE", NO_ENTRY),
          error(
              "Requested mask [0-9a-f]+ exceeds the max invalidation handle mask value [0-9a-f]+",
              "The device wants more interrupts in a block than ECAP.MHMV lets be invalidated at"
                  + " once: it gets none. Fewer vectors or MSI-X help."),
          warning(
              "Failed to set source-id of IOAPIC \\(\\d+\\)",
              "DMAR has no scope for the I/O APIC: its interrupts are not checked for their"
                  + " source."),
          warning(
              "Failed to set source-id of HPET block \\(\\d+\\)",
              "DMAR has no scope for the HPET: its interrupts are not checked for their source."),
          warning(
              "Exceeded Max (?:HPET blocks|IO APICS)",
              "DMAR has more scopes than the kernel expects: interrupts are not remapped."),
          warning(
              "IRQ remapping was enabled on " + UNIT + " but we are not in kdump mode",
              "Firmware or an earlier kernel left remapping on; it is set up anew."),
          error(
              "Failed to copy IR table for " + UNIT + " from previous kernel",
              "After a crash the old table could not be taken over: devices that still run lose"
                  + " interrupts."),
          state(
              "Copied IR table for " + UNIT + " from previous kernel",
              "After a crash the old table was taken over, so that running devices do no harm."),
          warning(
              "Failed to setup IRQ \\d+ for posted mode",
              "The interrupt is not posted: it is delivered by remapping."));

  private RemapMessages() {}
}
