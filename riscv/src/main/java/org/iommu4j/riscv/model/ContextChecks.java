package org.iommu4j.riscv.model;

import static org.iommu4j.riscv.layout.DeviceContext.DPE;
import static org.iommu4j.riscv.layout.DeviceContext.EN_ATS;
import static org.iommu4j.riscv.layout.DeviceContext.EN_PRI;
import static org.iommu4j.riscv.layout.DeviceContext.EXTENDED;
import static org.iommu4j.riscv.layout.DeviceContext.FSC;
import static org.iommu4j.riscv.layout.DeviceContext.GADE;
import static org.iommu4j.riscv.layout.DeviceContext.IOHGATP_BARE;
import static org.iommu4j.riscv.layout.DeviceContext.IOHGATP_SV32X4;
import static org.iommu4j.riscv.layout.DeviceContext.IOHGATP_SV39X4;
import static org.iommu4j.riscv.layout.DeviceContext.IOHGATP_SV48X4;
import static org.iommu4j.riscv.layout.DeviceContext.IOHGATP_SV57X4;
import static org.iommu4j.riscv.layout.DeviceContext.IOSATP_BARE;
import static org.iommu4j.riscv.layout.DeviceContext.IOSATP_SV32;
import static org.iommu4j.riscv.layout.DeviceContext.IOSATP_SV39;
import static org.iommu4j.riscv.layout.DeviceContext.IOSATP_SV48;
import static org.iommu4j.riscv.layout.DeviceContext.IOSATP_SV57;
import static org.iommu4j.riscv.layout.DeviceContext.MCID;
import static org.iommu4j.riscv.layout.DeviceContext.MSIPTP;
import static org.iommu4j.riscv.layout.DeviceContext.MSIPTP_FLAT;
import static org.iommu4j.riscv.layout.DeviceContext.MSIPTP_OFF;
import static org.iommu4j.riscv.layout.DeviceContext.MSI_ADDR_MASK;
import static org.iommu4j.riscv.layout.DeviceContext.PDTP_BARE;
import static org.iommu4j.riscv.layout.DeviceContext.PDTP_PD17;
import static org.iommu4j.riscv.layout.DeviceContext.PDTP_PD20;
import static org.iommu4j.riscv.layout.DeviceContext.PDTP_PD8;
import static org.iommu4j.riscv.layout.DeviceContext.PDTV;
import static org.iommu4j.riscv.layout.DeviceContext.PRPR;
import static org.iommu4j.riscv.layout.DeviceContext.RCID;
import static org.iommu4j.riscv.layout.DeviceContext.SADE;
import static org.iommu4j.riscv.layout.DeviceContext.SBE;
import static org.iommu4j.riscv.layout.DeviceContext.SXL;
import static org.iommu4j.riscv.layout.DeviceContext.T2GPA;
import static org.iommu4j.riscv.layout.DeviceContext.TA;
import static org.iommu4j.riscv.layout.DeviceContext.TC;

import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.ProcessContext;
import org.iommu4j.riscv.layout.Registers;

/**
 * Configuration checks: what makes a context that is valid misconfigured. Numbers are those of the
 * specification's lists, §3.2.4 (device context) and §3.3.2 (process context).
 */
final class ContextChecks {
  private static final long TC_RESERVED = EXTENDED.reservedMask(TC);
  private static final long TA_RESERVED = EXTENDED.reservedMask(TA);
  private static final long FSC_RESERVED = EXTENDED.reservedMask(FSC);
  private static final long MSIPTP_RESERVED = EXTENDED.reservedMask(MSIPTP);
  private static final long MASK_RESERVED = EXTENDED.reservedMask(MSI_ADDR_MASK);
  private static final long PC_TA_RESERVED = ProcessContext.LAYOUT.reservedMask(0);
  private static final long PC_FSC_RESERVED = ProcessContext.LAYOUT.reservedMask(1);

  private ContextChecks() {}

  /** Whether a device context with tc.V = 1 is misconfigured (cause 259). */
  static boolean misconfigured(
      Setup s,
      long tc,
      long iohgatp,
      long ta,
      long fsc,
      long msiptp,
      long mask,
      long pattern,
      long last) {
    UnitConfig c = s.config;
    boolean ats = c.has(Capabilities.ATS);
    boolean enAts = EN_ATS.isSet(tc);
    boolean enPri = EN_PRI.isSet(tc);
    boolean pdtv = PDTV.isSet(tc);
    boolean sxl = SXL.isSet(tc);
    boolean be = s.be;
    boolean sbe = SBE.isSet(tc);
    int gMode = DeviceContext.MODE.getInt(iohgatp);
    int fMode = DeviceContext.MODE.getInt(fsc);
    int mMode = s.extended ? DeviceContext.MODE.getInt(msiptp) : MSIPTP_OFF;
    // 1. Reserved bits. Choice: mask and pattern bits from MGPAW-12 up count as reserved.
    if ((tc & TC_RESERVED) != 0
        || (ta & TA_RESERVED) != 0
        || (fsc & FSC_RESERVED) != 0
        || (!c.has(Capabilities.QOSID) && (RCID.isSet(ta) || MCID.isSet(ta)))) {
      return true;
    }
    if (s.extended
        && ((msiptp & MSIPTP_RESERVED) != 0
            || ((mask | pattern) & (MASK_RESERVED | ~s.msiPageMask)) != 0
            || last != 0)) {
      return true;
    }
    // 2 to 5. ATS, PRI and what builds on them.
    if ((!ats && (enAts || enPri || PRPR.isSet(tc)))
        || (!enAts && (T2GPA.isSet(tc) || enPri))
        || (!enPri && PRPR.isSet(tc))) {
      return true;
    }
    // 6, 7. T2GPA.
    if (T2GPA.isSet(tc) && (!c.has(Capabilities.T2GPA) || gMode == IOHGATP_BARE)) {
      return true;
    }
    // 8 to 12. The first stage.
    if (pdtv ? !legalPdtp(c, fMode) : !legalIosatp(c, fMode, sxl) || DPE.isSet(tc)) {
      return true;
    }
    // 13 to 15, 17. The second stage.
    if (!legalIohgatp(c, gMode, s.gxl)
        || (gMode != IOHGATP_BARE && (DeviceContext.PPN.get(iohgatp) & 3) != 0)) {
      return true;
    }
    // 16. MSI page table.
    if (mMode != MSIPTP_OFF && mMode != MSIPTP_FLAT) {
      return true;
    }
    // 18. Hardware A/D.
    if (!c.has(Capabilities.AMO_HWAD) && (SADE.isSet(tc) || GADE.isSet(tc))) {
      return true;
    }
    // 19, 21. Byte order of what the guest owns.
    if ((!c.has(Capabilities.END) || !c.beWritable()) && sbe != be) {
      return true;
    }
    // 20. SXL follows GXL.
    if (s.gxl ? !sxl : sxl && !c.gxlWritable()) {
      return true;
    }
    // 22. QoS identifiers.
    if (((RCID.get(ta) & ~Registers.QOS_RCID.get(c.qosidMask()))
            | (MCID.get(ta) & ~Registers.QOS_MCID.get(c.qosidMask())))
        != 0) {
      return true;
    }
    // 23. MSI translation needs a second stage.
    return gMode == IOHGATP_BARE && mMode != MSIPTP_OFF;
  }

  /** Whether a process context with ta.V = 1 is misconfigured (cause 267). */
  static boolean misconfigured(Setup s, DcEntry dc, long ta, long fsc) {
    return (ta & PC_TA_RESERVED) != 0
        || (fsc & PC_FSC_RESERVED) != 0
        || !legalIosatp(s.config, ProcessContext.MODE.getInt(fsc), dc.sxl);
  }

  private static boolean legalPdtp(UnitConfig c, int mode) {
    return switch (mode) {
      case PDTP_BARE -> true;
      case PDTP_PD8 -> c.has(Capabilities.PD8);
      case PDTP_PD17 -> c.has(Capabilities.PD17);
      case PDTP_PD20 -> c.has(Capabilities.PD20);
      default -> false;
    };
  }

  private static boolean legalIosatp(UnitConfig c, int mode, boolean sxl) {
    if (mode == IOSATP_BARE) {
      return true;
    }
    if (sxl) {
      return mode == IOSATP_SV32 && c.has(Capabilities.SV32);
    }
    return switch (mode) {
      case IOSATP_SV39 -> c.has(Capabilities.SV39);
      case IOSATP_SV48 -> c.has(Capabilities.SV48);
      case IOSATP_SV57 -> c.has(Capabilities.SV57);
      default -> false;
    };
  }

  private static boolean legalIohgatp(UnitConfig c, int mode, boolean gxl) {
    if (mode == IOHGATP_BARE) {
      return true;
    }
    if (gxl) {
      return mode == IOHGATP_SV32X4 && c.has(Capabilities.SV32X4);
    }
    return switch (mode) {
      case IOHGATP_SV39X4 -> c.has(Capabilities.SV39X4);
      case IOHGATP_SV48X4 -> c.has(Capabilities.SV48X4);
      case IOHGATP_SV57X4 -> c.has(Capabilities.SV57X4);
      default -> false;
    };
  }
}
