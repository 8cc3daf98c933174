package org.iommu4j.riscv.model;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.MsiPte;

/** MSI address translation through a flat MSI page table. RISC-V IOMMU §2.3.3; AIA chapter 9. */
final class MsiTranslator {
  private static final long BASIC_RESERVED = MsiPte.BASIC.reservedMask(0);
  private static final long MRIF_RESERVED_0 = MsiPte.MRIF.reservedMask(0);
  private static final long MRIF_RESERVED_1 = MsiPte.MRIF.reservedMask(1);

  private MsiTranslator() {}

  /** Whether {@code gpa} is the address of a virtual interrupt file of the device. */
  static boolean matches(Setup s, DcEntry dc, long gpa) {
    // Choice: mask and pattern bits from MGPAW-12 up are refused when the context is loaded.
    return dc.msiFlat && (((gpa >>> 12) ^ dc.msiPattern) & ~dc.msiMask & s.msiPageMask) == 0;
  }

  /**
   * Translates the address of an interrupt file; the results are {@code spa}, {@code gpte} and
   * {@code gShift}, or the MRIF fields of the workspace.
   *
   * @return 0 or the cause
   */
  static int translate(Setup s, DcEntry dc, Workspace w, long gpa) {
    long index = extract(gpa >>> 12, dc.msiMask & s.msiPageMask);
    // Choice: of a table that is not aligned to its size, base and offset are ORed.
    long at = dc.msiRoot | index << 4;
    w.missShift = 12;
    int status = w.fetchPair(s, at);
    if (status != PhysicalMemory.OK) {
      return status == PhysicalMemory.POISONED
          ? Cause.MSI_PT_DATA_CORRUPTION.code()
          : Cause.MSI_PTE_LOAD_ACCESS_FAULT.code();
    }
    long low = w.pair().first();
    long high = w.pair().second();
    if (s.be) {
      low = Long.reverseBytes(low);
      high = Long.reverseBytes(high);
    }
    int m = MsiPte.M.getInt(low);
    if (w.traced()) {
      w.note("MSI PTE " + index, m == MsiPte.M_MRIF ? MsiPte.MRIF : MsiPte.BASIC, at, low, high);
    }
    w.stoppedAtValid = MsiPte.V.isSet(low);
    if (!MsiPte.V.isSet(low)) {
      return Cause.MSI_PTE_NOT_VALID.code();
    }
    // Choice: no custom format, so C = 1 is misconfigured.
    if (MsiPte.C.isSet(low)) {
      return Cause.MSI_PTE_MISCONFIGURED.code();
    }
    if (m == MsiPte.M_BASIC) {
      if ((low & BASIC_RESERVED) != 0) {
        return Cause.MSI_PTE_MISCONFIGURED.code();
      }
      w.spa = MsiPte.PPN.get(low) << 12 | (gpa & 0xfff);
    } else if (m == MsiPte.M_MRIF) {
      if (!Capabilities.MSI_MRIF.isSet(s.config.capabilities())
          || (low & MRIF_RESERVED_0) != 0
          || (high & MRIF_RESERVED_1) != 0) {
        return Cause.MSI_PTE_MISCONFIGURED.code();
      }
      w.mrif = true;
      w.mrifAddress = MsiPte.MRIF_ADDRESS.get(low) << 9;
      w.noticeAddress = MsiPte.NPPN.get(high) << 12;
      w.nid = MsiPte.NID_HIGH.getInt(high) << 10 | MsiPte.NID_LOW.getInt(high);
      w.spa = 0;
    } else {
      return Cause.MSI_PTE_MISCONFIGURED.code();
    }
    if (!w.ats && (w.access & Access.EXECUTE) != 0) {
      return Cause.INSTRUCTION_ACCESS_FAULT.code();
    }
    // Readable, writable, never executable; A and D count as set.
    w.gpte = SecondStageWalker.BARE_PTE & ~SecondStageWalker.X;
    w.gShift = 12;
    w.msi = true;
    return 0;
  }

  /**
   * A second-stage range that also covers interrupt files is cut down so that it holds none: a
   * cached superpage must not hide them. §2.3.3.
   */
  static int withoutInterruptFiles(Setup s, DcEntry dc, long gpa, int shift) {
    if (!dc.msiFlat) {
      return shift;
    }
    long differing = ((gpa >>> 12) ^ dc.msiPattern) & ~dc.msiMask & s.msiPageMask;
    // The range may grow up to the highest page-number bit in which gpa differs from the pattern.
    int highest = 63 - Long.numberOfLeadingZeros(differing);
    return Math.min(shift, highest + 12);
  }

  /** The bits of {@code from} at the ones of {@code mask}, packed to the right. */
  private static long extract(long from, long mask) {
    return Long.compress(from, mask);
  }
}
