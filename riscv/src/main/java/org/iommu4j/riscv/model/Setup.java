package org.iommu4j.riscv.model;

import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.unit.BaseSetup;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.DirectoryEntry;
import org.iommu4j.riscv.layout.Pte;
import org.iommu4j.riscv.layout.Registers;

/**
 * What translations depend on, as one immutable value: device threads read it once per request, a
 * register write that changes any of it publishes a new one.
 */
final class Setup extends BaseSetup {
  final UnitConfig config;

  /** ddtp.iommu_mode. */
  final int mode;

  /** Physical address of the root of the device directory. */
  final long ddt;

  /** fctl.BE: byte order of the structures that the unit owns. */
  final boolean be;

  /** fctl.GXL. */
  final boolean gxl;

  /** capabilities.MSI_FLAT: extended device contexts. */
  final boolean extended;

  /** Reserved bits of a page-table entry of 8 bytes, given the extensions. */
  final long pteReserved;

  final boolean svpbmt;

  /** Reserved bits of a directory entry. */
  final long directoryReserved = DirectoryEntry.RESERVED;

  /** MGPAW-12 ones: the guest page numbers that MSI matching looks at. */
  final long msiPageMask;

  /** Of an entry that just points to the next table, all these bits but V are 0. */
  final long pointerMask;

  /** Of an ordinary leaf, these bits are 0: reserved, memory type, NAPOT. */
  final long leafMask;

  /** {@link PlainWalk} may be tried: a directory, little-endian, nothing to count or to keep. */
  final boolean plain;

  /** Cached translations may be used without the full process: a directory, and no counting. */
  final boolean quick;

  Setup(PhysicalMemory memory, UnitConfig config, long ddtp, long fctl, boolean counting) {
    super(memory, -1L << Capabilities.PAS.getInt(config.capabilities()), config.caches(), counting);
    this.config = config;
    long caps = config.capabilities();
    mode = Registers.IOMMU_MODE.getInt(ddtp);
    ddt = Registers.DDTP_PPN.get(ddtp) << 12;
    be = Registers.BE.isSet(fctl);
    gxl = Registers.GXL.isSet(fctl);
    extended = Capabilities.MSI_FLAT.isSet(caps);
    svpbmt = Capabilities.SVPBMT.isSet(caps);
    pteReserved =
        Pte.LAYOUT.reservedMask(0)
            | (Capabilities.SVRSW60T59B.isSet(caps) ? 0 : Pte.RSW60T59B.mask())
            | (svpbmt ? 0 : Pte.PBMT.mask());
    leafMask = pteReserved | Pte.PBMT.mask() | Pte.N.mask();
    pointerMask =
        leafMask
            | Pte.V.mask()
            | Pte.R.mask()
            | Pte.W.mask()
            | Pte.X.mask()
            | Pte.U.mask()
            | Pte.A.mask()
            | Pte.D.mask();
    msiPageMask = (1L << (guestAddressBits(caps) - 12)) - 1;
    plain = mode >= Registers.MODE_1LVL && !be && !counting && !worst;
    quick = mode >= Registers.MODE_1LVL && !counting && normal();
  }

  /** MGPAW: the widest guest-physical address that any second stage of the unit takes. */
  private static int guestAddressBits(long caps) {
    if (Capabilities.SV57X4.isSet(caps)) {
      return 59;
    }
    if (Capabilities.SV48X4.isSet(caps)) {
      return 50;
    }
    if (Capabilities.SV39X4.isSet(caps)) {
      return 41;
    }
    return Capabilities.SV32X4.isSet(caps) ? 34 : Capabilities.PAS.getInt(caps);
  }

  /** Levels of the device directory, 1..3. */
  int levels() {
    return mode - Registers.MODE_1LVL + 1;
  }

  /** Index of a device id at a level of the directory, 0 being the leaf. §3.1. */
  int ddi(int deviceId, int level) {
    // Base format: 7, 9 and 8 bits. Extended format: 6, 9 and 9 bits.
    int leaf = extended ? 6 : 7;
    return switch (level) {
      case 0 -> deviceId & ((1 << leaf) - 1);
      case 1 -> (deviceId >>> leaf) & 0x1ff;
      default -> (deviceId & 0xff_ffff) >>> (leaf + 9);
    };
  }

  /** Whether a device id has bits that the directory's depth cannot index. §2.3, step 5. */
  boolean tooWide(int deviceId) {
    int levels = levels();
    int leaf = extended ? 6 : 7;
    int width = levels == 3 ? 24 : levels == 2 ? leaf + 9 : leaf;
    return deviceId >>> width != 0;
  }
}
