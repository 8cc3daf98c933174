package org.iommu4j.conformance.qemu;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an architecture's machine in QEMU is like: the facts of FORMAT.md that differ by
 * architecture. A further architecture is a further row of {@link #ALL}.
 *
 * @param arch the architecture's id
 * @param ram where memory is; nothing answers elsewhere
 * @param interrupts where interrupt messages arrive, null if cases do not look at them
 * @param fixed settings that every unit of this machine has
 * @param quirks settings by which a unit departs from its specification as QEMU's does
 * @param settings fields of {@code setup} that are settings of the unit, and their names there
 * @param notes fields of {@code setup} that only document how QEMU was started
 */
public record QemuMachine(
    String arch,
    List<Range> ram,
    @Nullable Range interrupts,
    Map<String, String> fixed,
    Map<String, String> quirks,
    Map<String, String> settings,
    List<String> notes) {

  /** Addresses {@code first..last}. */
  public record Range(long first, long last) {
    boolean holds(long pa, long length) {
      return Long.compareUnsigned(first, pa) <= 0
          && Long.compareUnsigned(pa, last) <= 0
          && length - 1 <= last - pa;
    }
  }

  /** The machines that are known. */
  public static final List<QemuMachine> ALL =
      List.of(
          new QemuMachine(
              "riscv",
              List.of(new Range(0x8000_0000L, 0x1_7fff_ffffL)),
              null,
              // QEMU's unit has four interrupt vectors.
              Map.of("vector_bits", "2"),
              Map.of(),
              Map.of("capabilities", "capabilities"),
              List.of("config", "qemu", "bus1", "fctl", "ddtp")),
          new QemuMachine(
              "vtd",
              List.of(new Range(0, 0x7fff_ffffL), new Range(0x1_0000_0000L, 0x1_7fff_ffffL)),
              new Range(0xfee0_0000L, 0xfeef_ffffL),
              Map.of(),
              Map.of(),
              Map.of("VER", "ver", "CAP", "cap", "ECAP", "ecap", "HAW", "haw"),
              List.of("config", "qemu", "bus1", "MGAW")),
          new QemuMachine(
              "amdvi",
              List.of(new Range(0, 0x7fff_ffffL), new Range(0x1_0000_0000L, 0x1_7fff_ffffL)),
              new Range(0xfee0_0000L, 0xfeef_ffffL),
              // QEMU's header announces NpCache, so that drivers tell it what they map; but its
              // cases
              // (np-fix) rely on it that absent entries are not kept: here the bit is clear.
              Map.of("cap_header", "0x1b03000f"),
              // QEMU's unit refuses messages whose delivery mode is SMI, and resets to 0.
              Map.of("smi_aborted", "true", "zero_reset", "true"),
              Map.of("EFR", "efr", "PCI_CAP_MISC", "misc_0", "PCI_CAP_MISC1", "misc_1"),
              List.of(
                  "config", "qemu", "bus1", "PCI_CAP_HDR", "PCI_CAP_BASE_LO", "PCI_CAP_RANGE")));

  /** Copies the collections. */
  public QemuMachine {
    ram = List.copyOf(ram);
    fixed = Map.copyOf(fixed);
    quirks = Map.copyOf(quirks);
    settings = Map.copyOf(settings);
    notes = List.copyOf(notes);
  }

  /** The same machine with a unit that keeps to its specification. */
  QemuMachine specified() {
    return new QemuMachine(arch, ram, interrupts, fixed, Map.of(), settings, notes);
  }

  /** Where anything answers, lowest first. */
  List<Range> occupied() {
    List<Range> all = new ArrayList<>(ram);
    if (interrupts != null) {
      all.add(interrupts);
    }
    all.sort(Comparator.comparing(Range::first, Long::compareUnsigned));
    return all;
  }

  boolean hasMemory(long pa, long length) {
    return ram.stream().anyMatch(r -> r.holds(pa, length));
  }
}
