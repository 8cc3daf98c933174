package org.iommu4j.riscv.driver;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.DirectoryEntry;
import org.iommu4j.riscv.layout.DirectoryIndex;
import org.iommu4j.riscv.layout.Registers;

/**
 * The device directory. §3.1: where a device's context is, with the tables on the way to it, which
 * are made when they are first needed and kept. An entry that becomes valid needs no command.
 */
final class DeviceDirectory {
  private static final int PAGE = 4096;
  private static final int[] MODES = {
    Registers.MODE_3LVL, Registers.MODE_2LVL, Registers.MODE_1LVL
  };

  private final Unit unit;
  private final List<Field> index;

  /** Words of a device context. */
  final int words;

  private final List<Long> tables = new ArrayList<>();
  private long root;
  private int levels;

  DeviceDirectory(Unit unit, boolean extended) {
    this.unit = unit;
    this.index = extended ? DirectoryIndex.DDI_EXTENDED : DirectoryIndex.DDI_BASE;
    this.words = extended ? DeviceContext.EXTENDED_WORDS : DeviceContext.BASE_WORDS;
  }

  /** Bits of a requester id of the deepest directory there can be. */
  static int mostSourceBits() {
    return DirectoryIndex.DDI_BASE.getLast().hi() + 1;
  }

  /** Bits of a requester id that the directory tells apart. */
  int sourceBits() {
    return index.get(levels - 1).hi() + 1;
  }

  /** Refuses a unit that someone else drives, and makes sure that it is off. */
  void claim() {
    long ddtp = unit.awaitClear(Registers.DDTP, Registers.DDTP_BUSY);
    if (Registers.IOMMU_MODE.get(ddtp) > Registers.MODE_BARE) {
      throw new DriverException(
          "ddtp reads 0x%x: someone else drives this unit; reset it first".formatted(ddtp));
    }
    setMode(Registers.MODE_OFF, 0);
  }

  private long setMode(int mode, long table) {
    unit.write(Registers.DDTP, Registers.IOMMU_MODE.of(mode) | Registers.DDTP_PPN.of(table >>> 12));
    return unit.awaitClear(Registers.DDTP, Registers.DDTP_BUSY);
  }

  /** Turns the unit on with an empty directory, as deep as it can be. */
  void start() {
    // Written with 0, PPN shows whether the root's place is fixed in hardware.
    long fixed = Registers.DDTP_PPN.get(setMode(Registers.MODE_OFF, 0)) << 12;
    if (fixed != 0) {
      root = fixed;
      for (int i = 0; i < PAGE; i += 8) {
        unit.store(root + i, 0);
      }
    } else {
      root = table();
    }
    for (int mode : MODES) {
      long ddtp = setMode(mode, root);
      if (Registers.IOMMU_MODE.get(ddtp) == mode) {
        if (Registers.DDTP_PPN.get(ddtp) << 12 != root) {
          throw new DriverException(
              "ddtp reads 0x%x: the device directory cannot lie at 0x%x".formatted(ddtp, root));
        }
        levels = mode - Registers.MODE_1LVL + 1;
        return;
      }
      if (Registers.IOMMU_MODE.get(ddtp) > Registers.MODE_BARE) {
        throw new DriverException(
            "ddtp reads 0x%x after mode %d was written".formatted(ddtp, mode));
      }
    }
    throw new DriverException("the unit accepts no device directory of any depth");
  }

  /** Turns the unit off; every access is blocked. The root stays in ddtp, as §6.5 asks. */
  void stop() {
    setMode(Registers.MODE_OFF, root);
  }

  /** Gives the tables back. */
  void free() {
    tables.forEach(t -> unit.frames.free(t, PAGE));
    tables.clear();
  }

  private long table() {
    long at = unit.frames.allocate(PAGE);
    tables.add(at);
    return at;
  }

  /** Address of the device's context. */
  long context(int source) {
    long table = root;
    for (int level = levels - 1; level > 0; level--) {
      long at = table + index.get(level).get(source) * 8;
      long entry = unit.memory.readLong(at);
      if (DirectoryEntry.V.isSet(entry)) {
        table = DirectoryEntry.PPN.get(entry) << 12;
      } else {
        table = table();
        unit.link(at, DirectoryEntry.V.mask() | DirectoryEntry.PPN.of(table >>> 12));
      }
    }
    return table + index.getFirst().get(source) * words * 8;
  }
}
