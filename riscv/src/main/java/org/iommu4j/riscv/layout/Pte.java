package org.iommu4j.riscv.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/**
 * The page-table entry of Sv39, Sv48, Sv57 and their x4 forms (8 bytes), and of Sv32 and Sv32x4 (4
 * bytes, bits 31:0). Privileged ISA, "Supervisor" and "Hypervisor" chapters, Svnapot, Svpbmt.
 */
public final class Pte {
  public static final Field V = bit("V", 0);
  public static final Field R = bit("R", 1);
  public static final Field W = bit("W", 2);
  public static final Field X = bit("X", 3);
  public static final Field U = bit("U", 4);
  public static final Field G = bit("G", 5);
  public static final Field A = bit("A", 6);
  public static final Field D = bit("D", 7);
  public static final Field RSW = bits("RSW", 9, 8).as(IGNORED);
  public static final Field PPN = bits("PPN", 53, 10);

  /** Ignored if capabilities.Svrsw60t59b is 1, reserved otherwise. */
  public static final Field RSW60T59B = bits("RSW60:59", 60, 59);

  /** Memory type if capabilities.Svpbmt is 1, reserved otherwise. */
  public static final Field PBMT =
      bits("PBMT", 62, 61).means(0, "PMA").means(1, "NC").means(2, "IO");

  /** Svnapot: 64 KiB contiguous region. */
  public static final Field N = bit("N", 63);

  /** Of a 4-byte entry: 22 bits, 34-bit addresses. */
  public static final Field PPN32 = bits("PPN", 31, 10);

  public static final int PBMT_PMA = 0;
  public static final int PBMT_NC = 1;
  public static final int PBMT_IO = 2;

  public static final Layout LAYOUT =
      Layout.of(
          "page-table entry",
          "Privileged ISA, Sv39/48/57",
          V,
          R,
          W,
          X,
          U,
          G,
          A,
          D,
          RSW,
          PPN,
          reserved(58, 54),
          RSW60T59B,
          PBMT,
          N);

  public static final Layout LAYOUT32 =
      Layout.of("page-table entry", "Privileged ISA, Sv32", V, R, W, X, U, G, A, D, RSW, PPN32);

  private Pte() {}
}
