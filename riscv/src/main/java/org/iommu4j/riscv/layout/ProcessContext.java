package org.iommu4j.riscv.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** The process context (PC), leaf of the process directory, 16 bytes. §3.3. */
public final class ProcessContext {
  /** Bytes of a process context. */
  public static final int BYTES = 16;

  // ta
  public static final Field V = bit("V", 0);
  public static final Field ENS = bit("ENS", 1);
  public static final Field SUM = bit("SUM", 2);
  public static final Field PSCID = bits("PSCID", 31, 12);

  // fsc, an iosatp
  public static final Field PPN = bits("fsc.PPN", 43, 0);
  public static final Field MODE = bits("fsc.MODE", 63, 60);

  public static final Layout LAYOUT =
      Layout.of(
              "process context",
              "RISC-V IOMMU §3.3",
              V,
              ENS,
              SUM,
              reserved(11, 3),
              PSCID,
              reserved(63, 32))
          .then(PPN, reserved(59, 44), DeviceContext.FSC_MODE);

  private ProcessContext() {}
}
