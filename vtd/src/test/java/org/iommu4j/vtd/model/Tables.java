package org.iommu4j.vtd.model;

import org.iommu4j.vtd.layout.ContextEntry;
import org.iommu4j.vtd.layout.FirstStagePte;
import org.iommu4j.vtd.layout.HostPermissionEntry;
import org.iommu4j.vtd.layout.PasidDirectoryEntry;
import org.iommu4j.vtd.layout.PasidEntry;
import org.iommu4j.vtd.layout.Registers;
import org.iommu4j.vtd.layout.RootEntry;
import org.iommu4j.vtd.layout.ScalableContextEntry;
import org.iommu4j.vtd.layout.SecondStagePte;

/**
 * Tables of one function that work, and where each of their entries is, so that a test can break
 * the one that it is about.
 */
final class Tables {
  static final int SID = 0x0108;

  /** The PASID of requests without one. */
  static final int RID = 7;

  static final int PASID = 9;
  static final int DID = 5;

  /** The domain of {@link #PASID}. */
  static final int PASID_DID = 6;

  static final int HPTDID = 3;
  static final long IOVA = 0x40_0020_1000L;

  /** Between the stages. */
  static final long GPA = 0x20_0040_3000L;

  static final int LEVELS = 4;

  static final long SS_RW = SecondStagePte.R.of(1) | SecondStagePte.W.of(1);
  static final long FS_ALL =
      FirstStagePte.P.of(1) | FirstStagePte.RW.of(1) | FirstStagePte.US.of(1);

  private final Rig rig;
  final long data;
  long root;
  long rootEntry;
  long context;
  long directory;
  long directoryEntry;
  private long pasidTable;
  long second;
  long first;
  long host;
  private boolean nested;

  Tables(Rig rig) {
    this.rig = rig;
    data = rig.frame();
  }

  // ---- page tables

  /** Where the entry of {@code level} for an address is; tables are made as needed. */
  private long slot(long table, long address, int level, boolean secondStage) {
    long at = table + 8 * (address >>> 3 + 9 * LEVELS & 0x1ff);
    for (int l = LEVELS; l > level; l--) {
      long entry = rig.load(at);
      if (entry == 0) {
        entry = secondStage ? rig.frame() | SS_RW : firstTable() | FS_ALL;
        rig.store(at, entry);
      }
      at = (entry & 0xf_ffff_ffff_f000L) + 8 * (address >>> 3 + 9 * (l - 1) & 0x1ff);
    }
    return at;
  }

  /** Behind a second stage, tables of the first have the same address in both spaces. */
  private long firstTable() {
    long table = rig.frame();
    if (nested) {
      mapSecond(table, table | SS_RW);
    }
    return table;
  }

  long secondSlot(long address, int level) {
    return slot(second, address, level, true);
  }

  long firstSlot(long address, int level) {
    return slot(first, address, level, false);
  }

  Tables mapSecond(long address, long entry) {
    rig.store(secondSlot(address, 1), entry);
    return this;
  }

  Tables mapFirst(long address, long entry) {
    rig.store(firstSlot(address, 1), entry);
    return this;
  }

  // ---- legacy mode

  Tables legacy(int tt) {
    second = rig.frame();
    mapSecond(IOVA, data | SS_RW);
    root = rig.frame();
    rootEntry = root + 16L * (SID >>> 8);
    long table = rig.frame();
    rig.store(rootEntry, table | RootEntry.P.of(1));
    context = table + 16L * (SID & 0xff);
    rig.store(
        context,
        second | ContextEntry.TT.of(tt) | ContextEntry.P.of(1),
        ContextEntry.AW.of(tt == ContextEntry.TT_PASS_THROUGH ? 3 : 2) | ContextEntry.DID.of(DID));
    rig.root(root, Registers.TTM_LEGACY);
    return this;
  }

  // ---- scalable mode

  /** {@link #RID} and {@link #PASID} with entries of that type. */
  Tables scalable(int pgtt) {
    nested = pgtt == PasidEntry.NESTED;
    if (pgtt == PasidEntry.SECOND_STAGE || nested) {
      second = rig.frame();
      mapSecond(nested ? GPA : IOVA, data | SS_RW);
    }
    if (pgtt == PasidEntry.FIRST_STAGE || nested) {
      first = firstTable();
      mapFirst(IOVA, (nested ? GPA : data) | FS_ALL);
    }
    root = rig.frame();
    rootEntry = root + 16L * (SID >>> 8);
    long table = rig.frame();
    rig.store(rootEntry, table | RootEntry.LP.of(1));
    directory = rig.frame();
    context = table + 32L * (SID & 0x7f);
    rig.store(
        context,
        directory
            | ScalableContextEntry.P.of(1)
            | ScalableContextEntry.DTE.of(1)
            | ScalableContextEntry.PASIDE.of(1)
            | ScalableContextEntry.PRE.of(1),
        ScalableContextEntry.RID_PASID.of(RID),
        0,
        0);
    directoryEntry = directory;
    pasidTable = rig.frame();
    rig.store(directoryEntry, pasidTable | PasidDirectoryEntry.P.of(1));
    fill(pasidEntry(RID), pgtt, DID);
    fill(pasidEntry(PASID), pgtt, PASID_DID);
    rig.root(root, Registers.TTM_SCALABLE);
    return this;
  }

  long pasidEntry(int pasid) {
    return pasidTable + 64L * pasid;
  }

  private void fill(long at, int pgtt, int did) {
    rig.store(
        at,
        second | PasidEntry.P.of(1) | PasidEntry.AW.of(2) | PasidEntry.PGTT.of(pgtt),
        PasidEntry.DID.of(did) | PasidEntry.PWSNP.of(1),
        first);
  }

  /** Sets bits in a word. */
  Tables or(long at, long bits) {
    rig.store(at, rig.load(at) | bits);
    return this;
  }

  /** Clears bits in a word. */
  Tables clear(long at, long bits) {
    rig.store(at, rig.load(at) & ~bits);
    return this;
  }

  /** A host permission table that lets one page be read and written, by way of {@link #PASID}. */
  Tables hostPermissions(long page, long permissions) {
    or(context, ScalableContextEntry.HPTE.of(1));
    host = rig.frame();
    for (int pasid : new int[] {RID, PASID}) {
      rig.store(pasidEntry(pasid) + 32, host, PasidEntry.HPTDID.of(HPTDID));
    }
    rig.store(hostSlot(page), permissions << 4 * (page >>> 12 & 15));
    return this;
  }

  /** Where the permissions of 16 pages are. */
  long hostSlot(long page) {
    long at = hostEntry(page, 1);
    return at + ((page >>> 16 & 1) != 0 ? 8 : 0);
  }

  /** An entry of the host permission table, tables made as needed. */
  long hostEntry(long page, int level) {
    long at = host + 16 * (page >>> 41);
    for (int l = 3; l >= level; l--) {
      long next = rig.load(at + 8);
      if (next == 0) {
        next = rig.frame() | HostPermissionEntry.AV.of(1);
        rig.store(at + 8, next);
      }
      at = HostPermissionEntry.ADDR.in(next) + 16 * (page >>> 9 + 8 * l & 0xff);
    }
    return at;
  }

  // ---- interrupt remapping

  /** A table of 256 entries, latched. */
  long interrupts(boolean extended) {
    long table = rig.frame();
    rig.write(Registers.IRTA, table | Registers.IRTA_S.of(7) | Registers.EIME.of(extended ? 1 : 0));
    rig.command(Registers.SIRTP, true);
    return table;
  }
}
