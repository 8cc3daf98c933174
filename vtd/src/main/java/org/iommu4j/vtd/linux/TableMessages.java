package org.iommu4j.vtd.linux;

import static org.iommu4j.vtd.linux.Known.HEX;
import static org.iommu4j.vtd.linux.Known.error;
import static org.iommu4j.vtd.linux.Known.hex;
import static org.iommu4j.vtd.linux.Known.of;
import static org.iommu4j.vtd.linux.Known.state;
import static org.iommu4j.vtd.linux.Known.warning;

import java.util.List;
import org.iommu4j.core.KernelMessage.Kind;

/** Lines about the ACPI table, most of them when it is read at boot. */
final class TableMessages {
  private static final String REGION =
      " is memory that firmware uses through devices; it stays mapped one to one for them, and"
          + " they cannot be given to a guest unless they are graphics or USB.";

  static final List<Known> ALL =
      List.of(
          of(
              Kind.STATE,
              "Host address width (\\d+)",
              m ->
                  "DMAR's host address width: physical addresses have %s bits."
                      .formatted(m.group(1))),
          of(
              Kind.STATE,
              "DRHD (?:base: |\\(flags: )" + HEX + "(?: flags: |\\)base: )" + HEX,
              m ->
                  (m.group().startsWith("DRHD base") ? hex(m, 2) & 1 : hex(m, 1) & 1) != 0
                      ? "A unit for all PCI devices of its segment that no other unit names."
                      : "A unit for the devices that its scopes name."),
          of(
              Kind.STATE,
              "RMRR base: " + HEX + " end: " + HEX,
              m -> "0x%x..0x%x".formatted(hex(m, 1), hex(m, 2)) + REGION),
          of(
              Kind.STATE,
              "ATSR flags: " + HEX,
              m ->
                  (hex(m, 1) & 1) != 0
                      ? "Devices below any root port may use ATS."
                      : "Devices below the root ports that its scopes name may use ATS."),
          of(
              Kind.STATE,
              "SATC flags: " + HEX,
              m ->
                  (hex(m, 1) & 1) != 0
                      ? "Integrated devices that work only with ATS."
                      : "Integrated devices with a translation cache."),
          of(
              Kind.STATE,
              "RHSA base: " + HEX + " proximity domain: " + HEX,
              m ->
                  "The unit at 0x%x is close to NUMA proximity domain %d."
                      .formatted(hex(m, 1), hex(m, 2))),
          of(
              Kind.STATE,
              "ANDD device: ([0-9a-f]+) name: (.*)",
              m -> "ACPI device %d of the table's scopes is %s.".formatted(hex(m, 1), m.group(2))),
          state(
              "ACPI device \".*\" under DMAR at [0-9a-f]+ as [0-9a-f:.]+",
              "The unit has the device in its scope, under this source id."),
          state("No RMRR found", "No memory has to stay mapped for firmware."),
          state(
              "No ATSR found", "Only devices that are integrated into the processor may use ATS."),
          state("No SATC found", "The table tells nothing of integrated translation caches."),
          state("No DMAR devices found", "The table names no unit: nothing is remapped."),
          error(
              "Invalid DMAR haw",
              "The host address width is less than a page: the table is not used."),
          error(
              "Parse DMAR table failure\\.",
              "The table is not used, so nothing is remapped; a line before says why."),
          error("Unable to map DMAR", "The table is not where the firmware says it is."),
          error(
              "Record passes table end",
              "A structure is longer than the table: nothing behind it is read, nothing is"
                  + " remapped."),
          warning(
              "Invalid 0-length structure",
              "A structure has no length: nothing behind it is read."),
          warning(
              "No DRHD structure found in DMAR table",
              "The table names no unit: nothing is remapped."),
          error(
              "No DRHD structures in buffer returned by _DSM method",
              "The root bridge that was plugged in tells of no unit: its devices stay without."),
          warning("Failed to locate _DSM method\\.", "What was plugged in tells of no unit."),
          warning(
              "(?:No handler for|Unknown) DMAR structure type \\d+", "The structure is ignored."),
          warning("Unsupported device scope", "A scope has a type that the kernel passes over."),
          warning(
              "Device scope type does not match for .*",
              "The table says bridge where an endpoint is, or the reverse: the scope is not used."),
          warning(
              "RMRR entry for device [0-9a-f:.]+ is broken - applying workaround",
              "The scope's path is wrong, the kernel matched bus and function instead."),
          warning(
              "No IOMMU scope found for ANDD enumeration ID \\d+ \\(.*\\)",
              "No unit has the ACPI device in its scope: its DMA is not translated."),
          warning(
              "Failed to (?:find handle|get device) for ACPI object .*",
              "ANDD names a device that ACPI does not have: it is ignored."),
          warning(
              "Can't validate DRHD address: [0-9a-f]+",
              "The unit's registers cannot be mapped: no unit is used."),
          error(
              "Your BIOS is broken; DMAR reported at (?:zero address|address [0-9a-f]+).*!",
              "There is no unit at the address (its registers read as all ones, or it is 0):"
                  + " nothing is remapped. Firmware may have switched VT-d off and left the"
                  + " table."),
          warning(
              "Your BIOS is broken; RHSA refers to non-existent DMAR unit at [0-9a-f]+",
              "The unit's place in the NUMA topology stays unknown; nothing else is wrong."),
          error(
              "Your BIOS is broken; ANDD object name is not NUL-terminated",
              "The table is not used, so nothing is remapped."),
          warning(
              "Your BIOS is broken; bad RMRR \\[" + HEX + "-" + HEX + "\\]",
              "The region does not begin or end with a page, or is not reserved in the memory map:"
                  + " the kernel uses it all the same, and firmware may hit other memory."),
          warning(
              "Your BIOS is broken; RMRR .*",
              "The region is not what it can be, so the kernel does not map it: the firmware's"
                  + " device may fault."),
          warning(
              "Your BIOS is broken; .*", "The firmware's table is wrong here: look for an update."),
          warning(
              "BIOS assigned incorrect VT-d unit for Intel\\(R\\) QuickData Technology device",
              "The table puts the DMA engine behind the wrong unit: it is used without"
                  + " translation."));

  private TableMessages() {}
}
