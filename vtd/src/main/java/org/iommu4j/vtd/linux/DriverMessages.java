package org.iommu4j.vtd.linux;

import static org.iommu4j.vtd.linux.Known.UNIT;
import static org.iommu4j.vtd.linux.Known.error;
import static org.iommu4j.vtd.linux.Known.state;
import static org.iommu4j.vtd.linux.Known.warning;

import java.util.List;

/** Lines about the driver as a whole: parameters, quirks, what it took over, mappings. */
final class DriverMessages {
  static final List<Known> ALL =
      List.of(
          state(
              "(?:PCI-DMA: )?Intel\\(R\\) Virtualization Technology for Directed I/O",
              "DMA is remapped from here on."),
          state("IOMMU enabled|enabled", "The kernel was started with intel_iommu=on."),
          warning(
              "IOMMU disabled|disabled",
              "The kernel was started with intel_iommu=off: DMA is not remapped."),
          state("Disable GFX device mapping", "Parameter igfx_off: graphics is not translated."),
          state(
              "Enable scalable mode if hardware supports",
              "Parameter sm_on: units with ECAP.SMTS use PASID tables."),
          state(
              "scalable mode supported", "Parameter sm_on: units with ECAP.SMTS use PASID tables."),
          state("Scalable mode is disallowed", "Parameter sm_off: all units use legacy mode."),
          state("Disable supported super page", "Parameter sp_off: only pages of 4 KiB are used."),
          state(
              "Disable batched IOTLB flush",
              "Parameter strict: each unmap invalidates before it returns."),
          state("Forcing DAC for PCI devices", "Parameter forcedac: addresses above 4 GiB first."),
          warning(
              "intel_iommu=\\w+ deprecated; use .* instead",
              "The parameter has another name now; it still has its effect."),
          warning("Unknown option - '.*'", "A part of intel_iommu= is not known to this kernel."),
          warning(
              "(?:Intel-IOMMU: )?not forcing on after tboot\\..*",
              "Parameter tboot_noforce: after a measured launch DMA may stay unprotected."),
          warning("Forcing Intel-IOMMU to enabled", "After a measured launch VT-d is always on."),
          state(
              "(?:Intel-IOMMU )?force enabled due to platform opt in",
              "DMAR's flag DMA_CTRL_PLATFORM_OPT_IN and a port for foreign devices: VT-d is on even"
                  + " if it was not asked for."),
          error("Initialization failed", "No unit is used: DMA is not remapped."),
          state(
              "IOMMU batching disallowed due to virtualization",
              "CAP.CM says that the unit is emulated: each unmap invalidates before it returns."),
          warning(
              "Translation was enabled for " + UNIT + " but we are not in kdump mode",
              "Firmware or an earlier kernel left translation on; it was switched off and is set up"
                  + " anew. In between, running devices met no protection."),
          state(
              "Translation already enabled - trying to copy translation structures",
              "After a crash the old tables are taken over, so that running devices do no harm."),
          state(
              "Copied translation tables from previous kernel for " + UNIT,
              "After a crash the old tables were taken over, so that running devices do no harm."),
          error(
              "Failed to copy translation tables from previous kernel for " + UNIT,
              "Translation starts anew: devices that still run will fault."),
          error(
              UNIT + ": Failed to copy context table for bus \\d+",
              "Devices of the bus that still run will fault."),
          error(
              "ERROR: DMA PTE for vPFN 0x[0-9a-f]+ already set \\(to [0-9a-f]+ not [0-9a-f]+\\)",
              "An address was mapped that is mapped: a driver did not unmap, or the kernel's"
                  + " allocator of addresses is corrupt."),
          error(
              "Read-only mapping is disallowed .*",
              "Erratum 772415 of Sapphire Rapids: below a nested table all has to be writable."),
          state(
              "Setting (?:RMRR|identity map for device \\S+ \\[.*\\]).*",
              "Memory of an RMRR is mapped one to one for the device."),
          state(
              "Ignoring identity map for HW passthrough device \\S+ \\[.*\\]",
              "The device is not translated, so an RMRR needs no mapping."),
          state(
              "(?:Hardware|Software) identity mapping for device \\S+",
              "The device's addresses are physical addresses."),
          state("Prepare 0-16MiB unity mapping for LPC", "Floppy and ISA devices need it."),
          state(
              "(?:32bit )?\\S+ uses (?:non-)?identity mapping",
              "The device cannot address all memory, so its kind of mapping changed."),
          warning(
              "Device \\S+ (?:uses an|is|requires).*",
              "The device is treated apart from the default, as the line says."),
          state("Skip IOMMU disabling for graphics", "Graphics of this chipset stays translated."),
          warning(
              "Disabling IOMMU for graphics on this chipset",
              "An erratum: graphics is not translated and not protected against."),
          warning(
              "BIOS has allocated no shadow GTT; disabling IOMMU for graphics",
              "Firmware reserved no memory for it: graphics is not translated."),
          state("Forcing write-buffer flush capability", "An erratum: CAP.RWBF counts as set."),
          state(
              "Disabling batched IOTLB flush on Ironlake",
              "An erratum: each unmap invalidates before it returns."),
          warning(
              "Recommended TLB entries for ISOCH unit is 16; your BIOS set \\d+",
              "Sound may stutter: the firmware gave the unit for it few TLB entries."),
          warning(
              "Out of memory when allocating notify_info for .*",
              "The device's place in the table is not looked up: it stays without a unit."),
          warning(
              "ACPI name space devices didn't probe correctly",
              "A device that ANDD names stays without the unit that has it in its scope."),
          error(
              "\\w+: iommu width \\(\\d+\\) is not sufficient for the mapped address"
                  + " \\([0-9a-f]+\\)",
              "The address is beyond what the unit's tables cover: it was not mapped."),
          error(
              "Invalid domain page table",
              "The device cannot be attached: its unit's tables have"
                  + " fewer levels than the domain's, and the upper ones are in use."),
          error("PASID table allocation failed", "Memory was short: the device has no unit."),
          warning(
              "Skipping IOMMU quirk for dev \\[[0-9A-F:]+\\] on untrusted PCI link",
              "A device on a port for foreign devices may not ask for exceptions: it could pretend"
                  + " to be another."),
          state(
              "Please check with your BIOS/Platform vendor about this",
              "If the device is built in, firmware should not call its port external."),
          state("failed to run vt-d quirk", "The DMA engine's unit could not be checked."));

  /** Lines that have no prefix, in all kernels or in old ones. */
  static final List<Known> BARE =
      List.of(
          error(
              UNIT + ": Invalid page request: [0-9a-f]+ [0-9a-f]+",
              "A device sent a page request that cannot be answered: the two words are the"
                  + " descriptor's. The device is not attached, or asks for what is not allowed."),
          warning(
              UNIT + " SVM disabled, incompatible (?:1GB page capability|paging mode)",
              "The unit's first stage does not fit the processor's page tables, so devices cannot"
                  + " share them with processes."),
          state(
              "IOMMU:? \\d+ 0x[0-9a-f]+: using (?:Queued|Register based) invalidation",
              "How the unit's caches are invalidated."),
          state(
              "PCI-DMA: Intel\\(R\\) Virtualization Technology for Directed I/O",
              "DMA is remapped from here on."),
          state(
              "IOAPIC id \\d+ under DRHD base  ?0x[0-9a-f]+(?: IOMMU \\d+)?",
              "This unit remaps the I/O APIC's interrupts."),
          state(
              "HPET id \\d+ under DRHD base 0x[0-9a-f]+", "This unit remaps the HPET's messages."),
          state(
              "Enabled (?:IRQ|Interrupt)[- ]remapping in x2?apic mode", "Interrupts are remapped."),
          state(
              "BIOS vendor: .*; Ver: .*; Product Version: .*",
              "The firmware that the line before complains about."));

  private DriverMessages() {}
}
