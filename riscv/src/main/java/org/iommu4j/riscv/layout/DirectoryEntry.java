package org.iommu4j.riscv.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** Non-leaf entry of the device directory (DDT) and the process directory (PDT). §3.1, §3.3. */
public final class DirectoryEntry {
  public static final Field V = bit("V", 0);
  public static final Field PPN = bits("PPN", 53, 10);
  public static final Layout LAYOUT =
      Layout.of(
          "non-leaf directory entry",
          "RISC-V IOMMU §3.1",
          V,
          reserved(9, 1),
          PPN,
          reserved(63, 54));

  /** Bits that must be 0 when V is 1. */
  public static final long RESERVED = LAYOUT.reservedMask(0);

  private DirectoryEntry() {}
}
