package org.iommu4j.amdvi.driver;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.GuestPte;
import org.iommu4j.driver.support.Unit;

/** A device's GCR3 table: by PASID, the root of guest tables. 48882, "Guest CR3 Table". */
final class ProcessTable {
  private static final long PAGE = 4096;

  private final Unit unit;
  private final int levels;
  private final List<Long> pages = new ArrayList<>();
  private final long root;

  ProcessTable(Unit unit, int levels) {
    this.unit = unit;
    this.levels = levels;
    this.root = page();
  }

  private long page() {
    long at = unit.frames.allocate(PAGE);
    pages.add(at);
    return at;
  }

  long root() {
    return root;
  }

  /** Makes a PASID lead to tables; 0 for none. */
  void set(int pasid, long tables) {
    long table = root;
    for (int level = levels; level > 1; level--) {
      long at = table + ((pasid >>> 9 * (level - 1) & 0x1ff) << 3);
      long entry = unit.memory.readLong(at);
      if (!GuestPte.GCR3_V.isSet(entry)) {
        if (tables == 0) {
          return;
        }
        entry = GuestPte.GCR3_V.mask() | GuestPte.GCR3_ADDRESS.in(page());
        unit.link(at, entry);
      }
      table = GuestPte.GCR3_ADDRESS.in(entry);
    }
    long at = table + ((pasid & 0x1ff) << 3);
    unit.link(at, tables == 0 ? 0 : GuestPte.GCR3_V.mask() | GuestPte.GCR3_ADDRESS.in(tables));
  }

  void free() {
    pages.forEach(at -> unit.frames.free(at, PAGE));
  }
}
