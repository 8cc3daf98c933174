package org.iommu4j.riscv.layout;

import static org.iommu4j.core.bits.Field.Kind.RO;

import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/** The {@code capabilities} register: what a unit has. RISC-V IOMMU §6.3. */
public final class Capabilities {
  /** {@code 0x10}: version 1.0. */
  public static final Field VERSION = ro("version", 7, 0);

  public static final Field SV32 = ro("Sv32", 8, 8);
  public static final Field SV39 = ro("Sv39", 9, 9);
  public static final Field SV48 = ro("Sv48", 10, 10);
  public static final Field SV57 = ro("Sv57", 11, 11);
  public static final Field SVRSW60T59B = ro("Svrsw60t59b", 14, 14);
  public static final Field SVPBMT = ro("Svpbmt", 15, 15);
  public static final Field SV32X4 = ro("Sv32x4", 16, 16);
  public static final Field SV39X4 = ro("Sv39x4", 17, 17);
  public static final Field SV48X4 = ro("Sv48x4", 18, 18);
  public static final Field SV57X4 = ro("Sv57x4", 19, 19);
  public static final Field AMO_MRIF = ro("AMO_MRIF", 21, 21);
  public static final Field MSI_FLAT = ro("MSI_FLAT", 22, 22);
  public static final Field MSI_MRIF = ro("MSI_MRIF", 23, 23);
  public static final Field AMO_HWAD = ro("AMO_HWAD", 24, 24);
  public static final Field ATS = ro("ATS", 25, 25);
  public static final Field T2GPA = ro("T2GPA", 26, 26);
  public static final Field END = ro("END", 27, 27);

  /** Interrupt generation support: {@link #IGS_MSI}, {@link #IGS_WSI}, {@link #IGS_BOTH}. */
  public static final Field IGS = ro("IGS", 29, 28);

  public static final Field HPM = ro("HPM", 30, 30);
  public static final Field DBG = ro("DBG", 31, 31);

  /** Physical address size in bits, at most 56. */
  public static final Field PAS = ro("PAS", 37, 32);

  public static final Field PD8 = ro("PD8", 38, 38);
  public static final Field PD17 = ro("PD17", 39, 39);
  public static final Field PD20 = ro("PD20", 40, 40);
  public static final Field QOSID = ro("QOSID", 41, 41);

  /** Non-leaf PTE invalidation. */
  public static final Field NL = ro("NL", 42, 42);

  /** Address range invalidation. */
  public static final Field S = ro("S", 43, 43);

  public static final int IGS_MSI = 0;
  public static final int IGS_WSI = 1;
  public static final int IGS_BOTH = 2;

  /** In the specification's order. */
  public static final List<Field> FIELDS =
      List.of(
          VERSION,
          SV32,
          SV39,
          SV48,
          SV57,
          SVRSW60T59B,
          SVPBMT,
          SV32X4,
          SV39X4,
          SV48X4,
          SV57X4,
          AMO_MRIF,
          MSI_FLAT,
          MSI_MRIF,
          AMO_HWAD,
          ATS,
          T2GPA,
          END,
          IGS,
          HPM,
          DBG,
          PAS,
          PD8,
          PD17,
          PD20,
          QOSID,
          NL,
          S);

  public static final Register REGISTER = new Register("capabilities", 0x00, 8, FIELDS);

  private Capabilities() {}

  private static Field ro(String name, int hi, int lo) {
    return Field.bits(name, hi, lo).as(RO);
  }
}
