package org.iommu4j.riscv.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/**
 * The device context (DC), leaf of the device directory. §3.2.
 *
 * <pre>
 *   +00 tc  +08 iohgatp  +10 ta  +18 fsc                       base format, 32 bytes
 *   +20 msiptp  +28 msi_addr_mask  +30 msi_addr_pattern  +38 -  extended format, 64 bytes
 * </pre>
 */
public final class DeviceContext {
  /** Words of the two formats. */
  public static final int BASE_WORDS = 4;

  public static final int EXTENDED_WORDS = 8;

  // Word indices.
  public static final int TC = 0;
  public static final int IOHGATP = 1;
  public static final int TA = 2;
  public static final int FSC = 3;
  public static final int MSIPTP = 4;
  public static final int MSI_ADDR_MASK = 5;
  public static final int MSI_ADDR_PATTERN = 6;

  // tc
  public static final Field V = bit("V", 0);
  public static final Field EN_ATS = bit("EN_ATS", 1);
  public static final Field EN_PRI = bit("EN_PRI", 2);
  public static final Field T2GPA = bit("T2GPA", 3);
  public static final Field DTF = bit("DTF", 4);
  public static final Field PDTV = bit("PDTV", 5);
  public static final Field PRPR = bit("PRPR", 6);
  public static final Field GADE = bit("GADE", 7);
  public static final Field SADE = bit("SADE", 8);
  public static final Field DPE = bit("DPE", 9);
  public static final Field SBE = bit("SBE", 10);
  public static final Field SXL = bit("SXL", 11);

  // iohgatp, fsc (iosatp and pdtp), msiptp: PPN and MODE
  public static final Field PPN = bits("PPN", 43, 0);
  public static final Field GSCID = bits("GSCID", 59, 44);
  public static final Field MODE = bits("MODE", 63, 60);

  // ta
  public static final Field PSCID = bits("PSCID", 31, 12);
  public static final Field RCID = bits("RCID", 51, 40);
  public static final Field MCID = bits("MCID", 63, 52);

  // msi_addr_mask, msi_addr_pattern
  public static final Field MASK = bits("mask", 51, 0);
  public static final Field PATTERN = bits("pattern", 51, 0);

  // iohgatp.MODE; with fctl.GXL = 1, 8 is Sv32x4 and the others are reserved
  public static final int IOHGATP_BARE = 0;
  public static final int IOHGATP_SV39X4 = 8;
  public static final int IOHGATP_SV48X4 = 9;
  public static final int IOHGATP_SV57X4 = 10;
  public static final int IOHGATP_SV32X4 = 8;

  // iosatp.MODE; with SXL = 1, 8 is Sv32 and the others are reserved
  public static final int IOSATP_BARE = 0;
  public static final int IOSATP_SV39 = 8;
  public static final int IOSATP_SV48 = 9;
  public static final int IOSATP_SV57 = 10;
  public static final int IOSATP_SV32 = 8;

  // pdtp.MODE
  public static final int PDTP_BARE = 0;
  public static final int PDTP_PD8 = 1;
  public static final int PDTP_PD17 = 2;
  public static final int PDTP_PD20 = 3;

  // msiptp.MODE
  public static final int MSIPTP_OFF = 0;
  public static final int MSIPTP_FLAT = 1;

  private static final Field IOHGATP_MODE =
      MODE.named("iohgatp.MODE")
          .means(IOHGATP_BARE, "Bare")
          .means(IOHGATP_SV39X4, "Sv39x4, Sv32x4 with GXL")
          .means(IOHGATP_SV48X4, "Sv48x4")
          .means(IOHGATP_SV57X4, "Sv57x4");

  /** Of iosatp or pdtp: no value but Bare is a mode of both. */
  static final Field FSC_MODE =
      MODE.named("fsc.MODE")
          .means(IOSATP_BARE, "Bare")
          .means(PDTP_PD8, "PD8")
          .means(PDTP_PD17, "PD17")
          .means(PDTP_PD20, "PD20")
          .means(IOSATP_SV39, "Sv39, Sv32 with SXL")
          .means(IOSATP_SV48, "Sv48")
          .means(IOSATP_SV57, "Sv57");

  private static final Field MSIPTP_MODE =
      MODE.named("msiptp.MODE").means(MSIPTP_OFF, "Off").means(MSIPTP_FLAT, "Flat");

  /** The base format. */
  public static final Layout BASE =
      Layout.of(
              "device context",
              "RISC-V IOMMU §3.2",
              V,
              EN_ATS,
              EN_PRI,
              T2GPA,
              DTF,
              PDTV,
              PRPR,
              GADE,
              SADE,
              DPE,
              SBE,
              SXL,
              reserved(23, 12),
              bits("custom", 31, 24).as(IGNORED),
              reserved(63, 32))
          .then(PPN.named("iohgatp.PPN"), GSCID, IOHGATP_MODE)
          .then(reserved(11, 0), PSCID, reserved(39, 32), RCID, MCID)
          .then(PPN.named("fsc.PPN"), reserved(59, 44), FSC_MODE);

  /** The extended format, in use if capabilities.MSI_FLAT is 1. */
  public static final Layout EXTENDED =
      BASE.then(PPN.named("msiptp.PPN"), reserved(59, 44), MSIPTP_MODE)
          .then(MASK, reserved(63, 52))
          .then(PATTERN, reserved(63, 52))
          .then(reserved(63, 0));

  private DeviceContext() {}
}
