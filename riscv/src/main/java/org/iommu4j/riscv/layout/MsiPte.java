package org.iommu4j.riscv.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** The MSI page-table entry, 16 bytes. AIA, "IOMMU support for MSIs to virtual machines". */
public final class MsiPte {
  public static final Field V = bit("V", 0);
  public static final Field M = bits("M", 2, 1).means(1, "MRIF").means(3, "basic");
  public static final Field C = bit("C", 63);

  // Basic translate mode
  public static final Field PPN = bits("PPN", 53, 10);

  // MRIF mode
  /** Bits 55:9 of the address of the memory-resident interrupt file. */
  public static final Field MRIF_ADDRESS = bits("MRIF_Address[55:9]", 53, 7);

  public static final Field NID_LOW = bits("NID[9:0]", 9, 0);
  public static final Field NPPN = bits("NPPN", 53, 10);
  public static final Field NID_HIGH = bit("NID[10]", 60);

  public static final int M_MRIF = 1;
  public static final int M_BASIC = 3;

  public static final Layout BASIC =
      Layout.of(
              "MSI PTE, basic translate mode",
              "AIA §9.5.1",
              V,
              M,
              reserved(9, 3),
              PPN,
              reserved(62, 54),
              C)
          .then(bits("ignored", 63, 0).as(IGNORED));

  public static final Layout MRIF =
      Layout.of(
              "MSI PTE, MRIF mode",
              "AIA §9.5.2",
              V,
              M,
              reserved(6, 3),
              MRIF_ADDRESS,
              reserved(62, 54),
              C)
          .then(NID_LOW, NPPN, reserved(59, 54), NID_HIGH, reserved(63, 61));

  private MsiPte() {}
}
