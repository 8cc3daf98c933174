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
import org.iommu4j.amdvi.layout.IvrsFields;
import org.iommu4j.core.KernelMessage.Kind;
import org.iommu4j.core.bits.FieldText;

/** Lines about the ACPI table IVRS; most of them only with the parameter amd_iommu_dump. */
final class TableMessages {
  /** Blanks and tabs; /dev/kmsg writes a tab as \x09. */
  private static final String GAP = "(?:\\s|\\\\x09)++";

  private static final String SETTING = ",? (?:flags|setting): " + HEX;

  private static final String BROKEN =
      "The firmware's table is wrong: no unit is used. Look for an update of the firmware.";

  private static final String PASSED_OVER =
      "The firmware's table is wrong there; the entry is passed over.";

  static final List<Known> ALL =
      List.of(
          of(
              Kind.STATE,
              "Using IVHD type " + HEX,
              m -> "Blocks of type %xh of IVRS describe the units.".formatted(hex(m, 1))),
          of(
              Kind.STATE,
              "PCI segment : " + HEX + ", last bdf : " + HEX,
              m ->
                  "Segment %x: the device table reaches up to %s."
                      .formatted(hex(m, 1), device(hex(m, 2)))),
          of(
              Kind.STATE,
              "device: (?<unit>"
                  + DEVICE
                  + ") cap: [0-9a-f]+ (?:seg: \\d+ )?flags: "
                  + HEX
                  + " info "
                  + HEX,
              m ->
                  "A unit, as its IVHD has it: %s, IOMMU info %s."
                      .formatted(
                          FieldText.of(IvrsFields.UNIT_FLAGS, hex(m, 2)),
                          FieldText.of(IvrsFields.UNIT_INFO, hex(m, 3)))),
          of(
              Kind.STATE,
              "mmio-addr: " + HEX,
              m -> "The unit's registers are at 0x%x.".formatted(hex(m, 1))),
          of(
              Kind.STATE,
              "DEV_ALL"
                  + GAP
                  + "(?:first devid: "
                  + DEVICE
                  + " last devid: "
                  + DEVICE
                  + " )?(?:flags|setting): "
                  + HEX,
              m -> "All devices of the segment are behind the unit." + setting(m, 1)),
          of(
              Kind.STATE,
              "DEV_SELECT" + GAP + "devid: (" + DEVICE + ")" + SETTING,
              m -> "Device %s is behind the unit.".formatted(m.group(1)) + setting(m, 2)),
          of(
              Kind.STATE,
              "DEV_SELECT_RANGE_START" + GAP + "devid: (" + DEVICE + ")" + SETTING,
              m -> "Devices from %s on are behind the unit.".formatted(m.group(1)) + setting(m, 2)),
          of(
              Kind.STATE,
              "DEV_RANGE_END" + GAP + "devid: (" + DEVICE + ")",
              m -> "Up to device %s.".formatted(m.group(1))),
          of(
              Kind.STATE,
              "DEV_ALIAS"
                  + GAP
                  + "devid: ("
                  + DEVICE
                  + ")"
                  + SETTING
                  + " devid_to: ("
                  + DEVICE
                  + ")",
              m ->
                  "Requests of device %s carry the id %s.".formatted(m.group(1), m.group(3))
                      + setting(m, 2)),
          of(
              Kind.STATE,
              "DEV_ALIAS_RANGE"
                  + GAP
                  + "devid: ("
                  + DEVICE
                  + ")"
                  + SETTING
                  + " devid_to: ("
                  + DEVICE
                  + ")",
              m ->
                  "Requests of devices from %s on carry the id %s."
                          .formatted(m.group(1), m.group(3))
                      + setting(m, 2)),
          of(
              Kind.STATE,
              "DEV_EXT_SELECT" + GAP + "devid: (" + DEVICE + ")" + SETTING + " ext: " + HEX,
              m ->
                  "Device %s is behind the unit.".formatted(m.group(1))
                      + setting(m, 2)
                      + extended(m, 3)),
          of(
              Kind.STATE,
              "DEV_EXT_SELECT_RANGE" + GAP + "devid: (" + DEVICE + ")" + SETTING + " ext: " + HEX,
              m ->
                  "Devices from %s on are behind the unit.".formatted(m.group(1))
                      + setting(m, 2)
                      + extended(m, 3)),
          of(
              Kind.STATE,
              "DEV_SPECIAL\\((IOAPIC|HPET|UNKNOWN)\\[(\\d+)\\]\\)"
                  + GAP
                  + "devid: ("
                  + DEVICE
                  + ")(?:"
                  + SETTING
                  + ")?",
              m ->
                  "Interrupts of %s %s come from %s.".formatted(m.group(1), m.group(2), m.group(3))
                      + setting(m, 4)),
          of(
              Kind.STATE,
              "DEV_ACPI_HID\\((.*?)\\[(.*?)\\]\\)"
                  + GAP
                  + "devid: ("
                  + DEVICE
                  + ")(?:"
                  + SETTING
                  + ")?",
              m ->
                  "ACPI device %s with unique id '%s' sends its requests as %s."
                          .formatted(m.group(1), m.group(2), m.group(3))
                      + setting(m, 4)),
          of(
              Kind.STATE,
              "IVMD_TYPE(?:i|_ALL|_RANGE)?"
                  + GAP
                  + "devid_start: ("
                  + DEVICE
                  + ") devid_end: ("
                  + DEVICE
                  + ") range_start: "
                  + HEX
                  + " range_end: "
                  + HEX
                  + " flags: "
                  + HEX,
              m ->
                  "Memory 0x%x to 0x%x stays mapped one to one for devices %s to %s: %s."
                      .formatted(
                          hex(m, 3),
                          hex(m, 4),
                          m.group(1),
                          m.group(2),
                          FieldText.of(IvrsFields.MEMORY_FLAGS, hex(m, 5)))),
          state(
              "Command-line override (?:present for (?:IOAPIC|HPET) id \\d+ - ignoring"
                  + "|for hid:.* uid:.*)",
              "A parameter says otherwise than IVRS, and counts."),
          of(
              Kind.STATE,
              "(cmd|ivrs), add hid:(.*?), uid:(.*?), rdevid:" + HEX,
              m ->
                  "ACPI device %s with unique id '%s' is behind a unit, %s says."
                      .formatted(
                          m.group(2),
                          m.group(3),
                          m.group(1).equals("cmd") ? "a parameter" : "IVRS")),
          error("IVRS invalid checksum", BROKEN),
          error("IVRS table error: .*", BROKEN),
          error("Unsupported IVHD type " + HEX, BROKEN),
          error(
              "Invalid IVHD device type " + HEX,
              "An ACPI device in a block that is not of type 40h. " + PASSED_OVER),
          error("Invalid HID\\.", "An ACPI device without a hardware id. " + PASSED_OVER),
          warning("Invalid UID length\\.", "An ACPI device has no unique id, but a length of it."),
          error(
              "No ACPI device matched UID, but \\d+ devices? matched HID\\.",
              "IVRS and ACPI disagree about a device's unique id. If there is one such device it is"
                  + " taken, otherwise none is."),
          error(
              "Can not reserve memory region [0-9a-f]+-[0-9a-f]+ for mmio",
              "Something else claims the unit's registers: no unit is used."),
          error("This is a BIOS bug\\. Please contact your hardware vendor", BROKEN),
          error(
              "IOAPIC\\[(\\d+)\\] not in IVRS table",
              "No unit has the I/O APIC, so no interrupts are remapped. The parameter ivrs_ioapic"
                  + " can name its id; ask for an update of the firmware."),
          error(
              "No southbridge IOAPIC found(?: in IVRS table)?",
              "The I/O APIC of the system timer is missing in IVRS or has a wrong id, so no"
                  + " interrupts are remapped. The parameter ivrs_ioapic can name it."),
          error(
              "Disabling interrupt remapping(?: due to BIOS Bug\\(s\\))?",
              "Interrupts are not remapped: a device that is given to a guest can forge them."));

  private TableMessages() {}

  private static String setting(Matcher m, int group) {
    String digits = m.group(group);
    return digits == null || hex(m, group) == 0
        ? ""
        : " Setting: " + FieldText.of(IvrsFields.DTE_SETTING, hex(m, group)) + ".";
  }

  private static String extended(Matcher m, int group) {
    return IvrsFields.ATS_DISABLED.isSet(hex(m, group)) ? " It must not use ATS." : "";
  }

  private static String device(long id) {
    return "%02x:%02x.%x".formatted(id >>> 8 & 0xff, id >>> 3 & 0x1f, id & 7);
  }
}
