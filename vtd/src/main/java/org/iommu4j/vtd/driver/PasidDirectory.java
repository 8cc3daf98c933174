package org.iommu4j.vtd.driver;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.PasidDirectoryEntry;
import org.iommu4j.vtd.layout.PasidEntry;

/** The PASID directory of one device, and its PASID tables. §3.4.3. */
final class PasidDirectory {
  private static final int PAGE = 4096;

  /** PASIDs of one table: 64 entries of 64 bytes. */
  private static final int TABLE_SHIFT = 6;

  /** The smallest directory has 128 entries, which are a quarter of a page. */
  private static final int SMALLEST_SHIFT = 7;

  private final Unit unit;
  private final Plan plan;
  private final List<Long> tables = new ArrayList<>();

  /** Physical address. */
  final long root;

  PasidDirectory(Unit unit, Plan plan) {
    this.unit = unit;
    this.plan = plan;
    this.root = unit.frames.allocate(bytes());
  }

  private long bytes() {
    int entries = 1 << plan.directorySize() + SMALLEST_SHIFT;
    return Math.max(PAGE, (long) entries * PasidDirectoryEntry.BYTES);
  }

  private long entry(int pasid) {
    long at = root + (long) (pasid >>> TABLE_SHIFT) * PasidDirectoryEntry.BYTES;
    long entry = unit.memory.readLong(at);
    long table = PasidDirectoryEntry.SMPTBLPTR.in(entry);
    if (!PasidDirectoryEntry.P.isSet(entry)) {
      table = unit.frames.allocate(PAGE);
      tables.add(table);
      unit.link(at, PasidDirectoryEntry.P.mask() | table);
    }
    return table + (long) (pasid & (1 << TABLE_SHIFT) - 1) * PasidEntry.BYTES;
  }

  /** Makes the entry of a PASID, which is not present, say how addresses are translated. */
  void set(int pasid, Space space) {
    long at = entry(pasid);
    long w0 = PasidEntry.P.mask();
    long w1 =
        PasidEntry.DID.of(space.did())
            | (plan.hasEcap(ExtendedCapability.SMPWCS) ? PasidEntry.PWSNP.mask() : 0);
    long w2 = 0;
    switch (space.kind()) {
      case BLOCKED -> throw new IllegalArgumentException("what is blocked has no entry");
      case PASS_THROUGH -> w0 |= PasidEntry.PGTT.of(PasidEntry.PASS_THROUGH);
      case FIRST_STAGE -> {
        w0 |= PasidEntry.PGTT.of(PasidEntry.FIRST_STAGE);
        w2 = firstStage(space);
      }
      case SECOND_STAGE ->
          w0 |=
              PasidEntry.PGTT.of(PasidEntry.SECOND_STAGE)
                  | secondStage(space.root(), space.levels());
      case NESTED -> {
        w0 |=
            PasidEntry.PGTT.of(PasidEntry.NESTED)
                | secondStage(space.parentRoot(), space.parentLevels());
        w2 = firstStage(space);
      }
    }
    unit.store(at + 8, w1);
    unit.store(at + 16, w2);
    unit.link(at, w0);
  }

  private static long firstStage(Space space) {
    return PasidEntry.FSPM.of(space.levels() - 4) | PasidEntry.FSPTPTR.in(space.root());
  }

  private static long secondStage(long root, int levels) {
    return PasidEntry.AW.of(SecondStageFormat.width(levels)) | PasidEntry.SSPTPTR.in(root);
  }

  /** Makes the entry of a PASID not present; caches may still hold it. */
  void clear(int pasid) {
    long at = entry(pasid);
    unit.store(at, unit.memory.readLong(at) & ~PasidEntry.P.mask());
  }

  /** Gives the tables back. Only when no cache can refer to them any more. */
  void free() {
    tables.forEach(t -> unit.frames.free(t, PAGE));
    tables.clear();
    unit.frames.free(root, bytes());
  }
}
