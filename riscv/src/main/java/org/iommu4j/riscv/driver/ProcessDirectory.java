package org.iommu4j.riscv.driver;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.DirectoryEntry;
import org.iommu4j.riscv.layout.DirectoryIndex;
import org.iommu4j.riscv.layout.ProcessContext;

/**
 * The process directory of one device. §3.3: as the device directory, one level for each field of a
 * process_id that the mode has.
 */
final class ProcessDirectory {
  private static final int PAGE = 4096;

  private final Unit unit;
  private final int mode;
  private final List<Long> tables = new ArrayList<>();
  private final long root;

  ProcessDirectory(Unit unit, int mode) {
    this.unit = unit;
    this.mode = mode;
    this.root = table();
  }

  /** The word for DC.fsc. */
  long pdtp() {
    return DeviceContext.MODE.of(mode) | DeviceContext.PPN.of(root >>> 12);
  }

  private long table() {
    long at = unit.frames.allocate(PAGE);
    tables.add(at);
    return at;
  }

  /** Address of a process context. */
  long context(int pasid) {
    List<Field> index = DirectoryIndex.PDI;
    long table = root;
    for (int level = mode - DeviceContext.PDTP_PD8; level > 0; level--) {
      long at = table + index.get(level).get(pasid) * 8;
      long entry = unit.memory.readLong(at);
      if (DirectoryEntry.V.isSet(entry)) {
        table = DirectoryEntry.PPN.get(entry) << 12;
      } else {
        table = table();
        unit.link(at, DirectoryEntry.V.mask() | DirectoryEntry.PPN.of(table >>> 12));
      }
    }
    return table + index.getFirst().get(pasid) * ProcessContext.BYTES;
  }

  /** Gives the tables back. Only when no cache can refer to them any more. */
  void free() {
    tables.forEach(t -> unit.frames.free(t, PAGE));
    tables.clear();
  }
}
