package org.iommu4j.amdvi.linux;

import static org.iommu4j.amdvi.linux.Known.DEVICE;
import static org.iommu4j.amdvi.linux.Known.error;
import static org.iommu4j.amdvi.linux.Known.state;
import static org.iommu4j.amdvi.linux.Known.warning;

import java.util.List;

/** Lines about the driver as a whole: parameters, kernels after a crash, SEV-SNP, devices. */
final class DriverMessages {
  private static final String TAKEN_OVER =
      "After a crash what the old kernel set up is taken over, so that running devices do no harm.";

  private static final String NOT_TAKEN_OVER =
      "After a crash the old device table cannot be taken over: devices that still run will fault.";

  private static final String NO_SNP = "No guests with SEV-SNP can run: ";

  private static final String NOT_GIVEN_BACK =
      "The unit's memory could not be given back from SEV-SNP: the next kernel cannot use it.";

  static final List<Known> ALL =
      List.of(
          warning("Unknown option - '.*'", "A part of amd_iommu= is not known to this kernel."),
          warning(
              "amd_iommu=fullflush deprecated; use iommu\\.strict=1 instead",
              "The parameter has another name now; it still has its effect."),
          warning(
              "ivrs_(?:ioapic|hpet|acpihid)\\S* option format deprecated; use .* instead",
              "The parameter has another form now; it still has its effect."),
          warning(
              "Invalid command line: .*",
              "The parameter is not understood and has no effect: ivrs_ioapic=ID@SEG:BUS:DEV.FN,"
                  + " ivrs_hpet likewise, ivrs_acpihid=HID:UID@SEG:BUS:DEV.FN."),
          warning(
              "Early (?:IOAPIC|HPET|ACPI HID) map overflow - ignoring .*",
              "At most four parameters of a kind are taken."),
          state(
              "Restricting V1 page-sizes to 4KiB(?:/2MiB/1GiB)?",
              "A parameter limits the pages of host tables."),
          state("Disable IOMMU on Stoney Ridge", "Its graphics do not work with the IOMMU."),
          warning(
              "IOMMU not currently supported when SME is active",
              "The processor's microcode is too old for memory encryption with an IOMMU: DMA is not"
                  + " remapped."),
          error(
              "Failed to initialize\\. The CMPXCHG16B feature is required\\.",
              "Entries cannot be changed at once, so no unit is used."),
          state(
              "Lazy IO/TLB flushing enabled",
              "An unmap returns before the translation caches are invalidated."),
          state("IO/TLB flush on unmap enabled", "Each unmap invalidates before it returns."),
          state("Initialized for Passthrough Mode", "Devices' addresses are physical addresses."),
          state("device isolation (?:enabled|disabled)", "Whether each device has its own domain."),
          warning(
              "Translation was enabled for IOMMU:\\d+ but we are not in kdump mode",
              "Firmware or an earlier kernel left translation on; it was switched off and is set up"
                  + " anew. In between, running devices met no protection."),
          warning(
              "Translation is already enabled - trying to (?:reuse|copy) translation structures",
              TAKEN_OVER),
          state(
              "Re-using (?:event buffer|command buffer|CWB buffers) from the previous kernel",
              TAKEN_OVER),
          state("(?:Reused|Copied) DEV table from previous kernel\\.", TAKEN_OVER),
          error("Failed to (?:reuse|copy) DEV table from previous kernel\\.", NOT_TAKEN_OVER),
          error("The device table size of IOMMU:\\d+ is not expected!", NOT_TAKEN_OVER),
          error("The address of old device table is above 4G, not trustworthy!", NOT_TAKEN_OVER),
          error("Failed to remap memory for reusing old device table!", NOT_TAKEN_OVER),
          error("Failed to allocate page for the copy of the old DTE!", NOT_TAKEN_OVER),
          state("IOMMU SNP support enabled\\.", "Guests with SEV-SNP can run."),
          warning(
              "SNP: IOMMU disabled, SNP cannot be supported\\.", NO_SNP + "they need the IOMMU."),
          warning(
              "SNP: IOMMU configured in passthrough mode, SNP cannot be supported\\.",
              NO_SNP + "devices have to be translated, so iommu=pt does not go with them."),
          warning(
              "SNP: IOMMU is configured with V2 page table mode, SNP cannot be supported\\.",
              NO_SNP + "they need host tables, so amd_iommu=pgtbl_v2 does not go with them."),
          warning(
              "SNP: IOMMU SNP feature not enabled, SNP cannot be supported\\.",
              NO_SNP + "a unit lacks EFR.SNPSup; look for it in the setup."),
          warning(
              "SNP: RMP initialization failed, SNP cannot be supported\\.",
              NO_SNP + "firmware reserved no reverse map table."),
          error("IOMMU PFN [0-9a-f]+ RMP lookup failed, ret -?\\d+", NOT_GIVEN_BACK),
          error("IOMMU PFN [0-9a-f]+ not assigned in RMP table", NOT_GIVEN_BACK),
          error(
              "PSMASH failed for IOMMU PFN [0-9a-f]+ huge RMP entry, ret: -?\\d+, level: \\d+",
              NOT_GIVEN_BACK),
          error(
              "Failed to initialize(?: IOMMU for device \\S+)? - trying to proceed anyway",
              "Memory was short: the device is not translated, and not protected against."),
          error(
              "\\w+ ?: Failed to get (?:alias )?dev_data for 0x[0-9a-f]+",
              "The device or its alias has no entry of its own: its requests will fault."),
          warning(
              "\\w+: DMA translation not supported by iommu\\.",
              "The units have neither host nor usable guest tables: DMA is not translated."),
          error(
              "Out of memory allocating dm-regions",
              "Memory that firmware uses through the device may not be mapped: it may fault."),
          state(
              "(?:set_dev_entry_from_acpi_range|amd_iommu_\\w+|iommu_\\w+): .*",
              "A line for those who mend the driver."),
          state(
              "AMD IOMMUv2 (?:loaded and initialized|driver by .*)",
              "Devices can use the page tables of processes."),
          state(
              "AMD IOMMUv2 functionality not available on this system(?: - This is not a bug)?\\.?",
              "No unit has guest tables and page requests, so devices cannot use the page tables of"
                  + " processes."),
          state(
              "Setting identity map for device (?<unit>" + DEVICE + ") .*",
              "Memory that IVRS names is mapped one to one for the device."));

  /** Lines that have another prefix. */
  static final List<Known> BARE =
      List.of(
          state(
              "perf/amd_iommu: Detected AMD IOMMU(?: #\\d+)? \\(\\d+ banks, \\d+"
                  + " counters/bank\\)\\.",
              "The unit's performance counters can be used by perf."),
          error(
              "perf/amd_iommu: Error initializing .*",
              "The units' performance counters cannot be used."));

  private DriverMessages() {}
}
