package org.iommu4j.amdvi;

import org.iommu4j.amdvi.model.Units;
import org.iommu4j.core.dma.Iommu;

/**
 * What the security processor's firmware does to a unit for SEV-SNP. No register that software sees
 * does it: an embedding program that plays the firmware calls this when its SNP_INIT_EX or
 * SNP_SHUTDOWN_EX does.
 *
 * <pre>
 *   SnpFirmware.enable(unit, rmpBase, rmpEnd, 0); // the table lies in the unit's memory
 * </pre>
 *
 * <p>From then on writes of devices are looked up in the reverse map table, a device table entry
 * with TV = 1 and Mode = 0 is illegal, COMPLETION_WAIT stores within the completion-store window
 * alone, and the registers that 48882, 2.12.2.1, lists ignore writes. The table itself is the
 * firmware's business, and so are the pages of the unit's logs in it.
 *
 * <p>Nothing of the table is cached. A program that assigns a page to a guest may have to wait for
 * writes under way: {@code unit.windows().drain()}.
 *
 * <p>A unit that is created with {@code rmp_base} looks writes up from the start, without locks.
 */
public final class SnpFirmware {
  private SnpFirmware() {}

  /**
   * Makes the system SNP-enabled, as far as this unit is concerned.
   *
   * @param rmpBase MSR RMP_BASE: 16 KiB of bookkeeping, then the table; a multiple of 8 KiB
   * @param rmpEnd MSR RMP_END: the table's last byte; 0 if it has segments
   * @param rmpCfg MSR RMP_CFG: bit 0 set, and in 13:8 log2 of what a segment is for; or 0
   * @throws IllegalArgumentException if it is no AMD-Vi unit, or there cannot be such a table
   * @throws IllegalStateException if the unit has no EFR.SNPSup or Control.IommuEn is 0, where
   *     SNP_INIT_EX fails
   */
  public static void enable(Iommu unit, long rmpBase, long rmpEnd, long rmpCfg) {
    if (!Units.secureNestedPaging(unit, true, rmpBase, rmpEnd, rmpCfg)) {
      throw new IllegalStateException("SEV-SNP needs EFR.SNPSup and Control.IommuEn of the unit");
    }
  }

  /**
   * Ends that: IOMMU_SNP_SHUTDOWN of SNP_SHUTDOWN_EX.
   *
   * @throws IllegalArgumentException if it is no AMD-Vi unit
   */
  public static void disable(Iommu unit) {
    Units.secureNestedPaging(unit, false, 0, 0, 0);
  }
}
