package org.iommu4j.amdvi.linux;

import static org.iommu4j.amdvi.linux.Known.HEX;
import static org.iommu4j.amdvi.linux.Known.hex;
import static org.iommu4j.amdvi.linux.Known.of;

import java.util.List;
import java.util.regex.Matcher;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.core.KernelMessage.Kind;
import org.iommu4j.core.bits.FieldText;
import org.iommu4j.core.bits.Layout;

/** Entries, commands and registers that follow an event, decoded. */
final class DumpMessages {
  static final List<Known> ALL =
      List.of(
          of(Kind.STATE, "DTE\\[(\\d)\\]: " + HEX, DumpMessages::deviceTableEntry),
          of(Kind.STATE, "CMD\\[([0-3])\\]: " + HEX, DumpMessages::commandPart),
          of(
              Kind.STATE,
              "Control Reg : " + HEX,
              m -> "Control: " + FieldText.of(Control.FIELDS, hex(m, 1)) + "."),
          of(
              Kind.STATE,
              "CMD Buffer head=(\\d+) tail=(\\d+)",
              m ->
                  m.group(1).equals(m.group(2))
                      ? "The unit has fetched all commands; they follow."
                      : "The unit stands at command %s of up to %s; they follow."
                          .formatted(m.group(1), m.group(2))),
          of(
              Kind.STATE,
              "(\\d+): ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8})",
              DumpMessages::command));

  private DumpMessages() {}

  private static String deviceTableEntry(Matcher m) {
    int word = Integer.parseInt(m.group(1));
    if (word >= DeviceTableEntry.LAYOUT.words().size()) {
      return "A device table entry has no such word.";
    }
    return "Device table entry, bits %d:%d: %s."
        .formatted(
            64 * word + 63,
            64 * word,
            FieldText.of(DeviceTableEntry.LAYOUT.words().get(word), hex(m, 2)));
  }

  /** Of a command's four words of 32 bits only the second tells what it is. */
  private static String commandPart(Matcher m) {
    int part = Integer.parseInt(m.group(1));
    if (part != 1) {
      return "Bits %d:%d of the command.".formatted(32 * part + 31, 32 * part);
    }
    return "Bits 63:32 of the command: " + name(hex(m, 2) << 32) + ".";
  }

  private static String command(Matcher m) {
    long low = hex(m, 3) << 32 | hex(m, 2);
    long high = hex(m, 5) << 32 | hex(m, 4);
    Layout layout = Command.layout(Command.OPCODE.getInt(low));
    return "Command %s: %s%s."
        .formatted(
            m.group(1), name(low), layout == null ? "" : ": " + FieldText.of(layout, low, high));
  }

  private static String name(long low) {
    int opcode = Command.OPCODE.getInt(low);
    Layout layout = Command.layout(opcode);
    return layout != null ? layout.name() : opcode == 0 ? "empty" : "opcode " + opcode;
  }
}
