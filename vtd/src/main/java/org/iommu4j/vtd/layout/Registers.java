package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.Kind.RO;
import static org.iommu4j.core.bits.Field.Kind.RW1C;
import static org.iommu4j.core.bits.Field.Kind.WARL;
import static org.iommu4j.core.bits.Field.Kind.WO;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/**
 * The memory-mapped registers at fixed offsets. §11.4. Two groups move: {@link #iva}, {@link
 * #iotlb} with ECAP.IRO and {@link FaultRecord} with CAP.FRO.
 */
public final class Registers {
  // VER_REG
  public static final Field MIN = bits("MIN", 3, 0).as(RO);
  public static final Field MAX = bits("MAX", 7, 4).as(RO);
  public static final Register VER = Register.of32("VER_REG", 0x00, MIN, MAX);

  // GCMD_REG and GSTS_REG §11.4.4.2. GCMD reads as 0.
  public static final Field TE = bit("TE", 31).as(WO);
  public static final Field SRTP = bit("SRTP", 30).as(WO);
  public static final Field SFL = bit("SFL", 29).as(WO);
  public static final Field EAFL = bit("EAFL", 28).as(WO);
  public static final Field WBF = bit("WBF", 27).as(WO);
  public static final Field QIE = bit("QIE", 26).as(WO);
  public static final Field IRE = bit("IRE", 25).as(WO);
  public static final Field SIRTP = bit("SIRTP", 24).as(WO);
  public static final Field CFI = bit("CFI", 23).as(WO);
  public static final Register GCMD =
      Register.of32("GCMD_REG", 0x18, CFI, SIRTP, IRE, QIE, WBF, EAFL, SFL, SRTP, TE);

  public static final Field TES = bit("TES", 31).as(RO);
  public static final Field RTPS = bit("RTPS", 30).as(RO);
  public static final Field FLS = bit("FLS", 29).as(RO);
  public static final Field AFLS = bit("AFLS", 28).as(RO);
  public static final Field WBFS = bit("WBFS", 27).as(RO);
  public static final Field QIES = bit("QIES", 26).as(RO);
  public static final Field IRES = bit("IRES", 25).as(RO);
  public static final Field IRTPS = bit("IRTPS", 24).as(RO);
  public static final Field CFIS = bit("CFIS", 23).as(RO);
  public static final Register GSTS =
      Register.of32("GSTS_REG", 0x1c, CFIS, IRTPS, IRES, QIES, WBFS, AFLS, FLS, RTPS, TES);

  // RTADDR_REG
  public static final Field SSIRWE = bit("SSIRWE", 7).as(WARL);
  public static final Field TTM =
      bits("TTM", 11, 10).means(0, "legacy").means(1, "scalable").means(3, "abort DMA");
  public static final Field RTA = bits("RTA", 63, 12).as(WARL);
  public static final Register RTADDR = Register.of64("RTADDR_REG", 0x20, SSIRWE, TTM, RTA);

  public static final int TTM_LEGACY = 0;
  public static final int TTM_SCALABLE = 1;
  public static final int TTM_ABORT = 3;

  // CCMD_REG
  public static final Field CCMD_DID = bits("DID", 15, 0);
  public static final Field CCMD_SID = bits("SID", 31, 16).as(WO);
  public static final Field CCMD_FM = bits("FM", 33, 32).as(WO);
  public static final Field CAIG = bits("CAIG", 60, 59).as(RO);
  public static final Field CIRG = bits("CIRG", 62, 61);
  public static final Field ICC = bit("ICC", 63);
  public static final Register CCMD =
      Register.of64("CCMD_REG", 0x28, CCMD_DID, CCMD_SID, CCMD_FM, CAIG, CIRG, ICC);

  /** Granularities of CCMD, IOTLB and of descriptors of the same names. */
  public static final int GLOBAL = 1;

  public static final int DOMAIN = 2;
  public static final int SELECTIVE = 3;

  // FSTS_REG
  public static final Field PFO = bit("PFO", 0).as(RW1C);
  public static final Field PPF = bit("PPF", 1).as(RO);
  public static final Field AFO = bit("AFO", 2).as(RO);
  public static final Field APF = bit("APF", 3).as(RO);
  public static final Field IQE = bit("IQE", 4).as(RW1C);
  public static final Field ICE = bit("ICE", 5).as(RW1C);
  public static final Field ITE = bit("ITE", 6).as(RW1C);
  public static final Field FRI = bits("FRI", 15, 8).as(RO);
  public static final Register FSTS =
      Register.of32("FSTS_REG", 0x34, PFO, PPF, AFO, APF, IQE, ICE, ITE, FRI);

  // FECTL_REG, FEDATA_REG, FEADDR_REG, FEUADDR_REG; four more groups are alike.
  public static final Field IP = bit("IP", 30).as(RO);
  public static final Field IM = bit("IM", 31);
  public static final Field MESSAGE_DATA = bits("IMD", 31, 0).as(WARL);
  public static final Field MESSAGE_ADDRESS = bits("MA", 31, 2);
  public static final Field MESSAGE_UPPER = bits("MUA", 31, 0).as(WARL);
  public static final Register FECTL = Register.of32("FECTL_REG", 0x38, IP, IM);
  public static final Register FEDATA = Register.of32("FEDATA_REG", 0x3c, MESSAGE_DATA);
  public static final Register FEADDR = Register.of32("FEADDR_REG", 0x40, MESSAGE_ADDRESS);
  public static final Register FEUADDR = Register.of32("FEUADDR_REG", 0x44, MESSAGE_UPPER);

  // AFLOG_REG, before revision 4.0
  public static final Field FLS_SIZE = bits("FLS", 11, 9);
  public static final Field FLA = bits("FLA", 63, 12).as(WARL);
  public static final Register AFLOG = Register.of64("AFLOG_REG", 0x58, FLS_SIZE, FLA);

  // Protected memory
  public static final Field PMEN_PRS = bit("PRS", 0).as(RO);
  public static final Field EPM = bit("EPM", 31);
  public static final Register PMEN = Register.of32("PMEN_REG", 0x64, PMEN_PRS, EPM);
  public static final Field REGION32 = bits("address", 31, 0).as(WARL);
  public static final Field REGION64 = bits("address", 63, 0).as(WARL);
  public static final Register PLMBASE = Register.of32("PLMBASE_REG", 0x68, REGION32);
  public static final Register PLMLIMIT = Register.of32("PLMLIMIT_REG", 0x6c, REGION32);
  public static final Register PHMBASE = Register.of64("PHMBASE_REG", 0x70, REGION64);
  public static final Register PHMLIMIT = Register.of64("PHMLIMIT_REG", 0x78, REGION64);

  // Invalidation queue
  public static final Field QH = bits("QH", 18, 4).as(RO);
  public static final Register IQH = Register.of64("IQH_REG", 0x80, QH);
  public static final Field QT = bits("QT", 18, 4);
  public static final Register IQT = Register.of64("IQT_REG", 0x88, QT);
  public static final Field QS = bits("QS", 2, 0);
  public static final Field DW = bit("DW", 11);
  public static final Field IQA_BASE = bits("IQA", 63, 12).as(WARL);
  public static final Register IQA = Register.of64("IQA_REG", 0x90, QS, DW, IQA_BASE);
  public static final Field IWC = bit("IWC", 0).as(RW1C);
  public static final Register ICS = Register.of32("ICS_REG", 0x9c, IWC);
  public static final Register IECTL = Register.of32("IECTL_REG", 0xa0, IP, IM);
  public static final Register IEDATA = Register.of32("IEDATA_REG", 0xa4, MESSAGE_DATA);
  public static final Register IEADDR = Register.of32("IEADDR_REG", 0xa8, MESSAGE_ADDRESS);
  public static final Register IEUADDR = Register.of32("IEUADDR_REG", 0xac, MESSAGE_UPPER);
  public static final Field IQEI = bits("IQEI", 3, 0).as(RO);
  public static final Field ITESID = bits("ITESID", 47, 32).as(RO);
  public static final Field ICESID = bits("ICESID", 63, 48).as(RO);
  public static final Register IQERCD = Register.of64("IQERCD_REG", 0xb0, IQEI, ITESID, ICESID);

  // IRTA_REG
  public static final Field IRTA_S = bits("S", 3, 0);
  public static final Field EIME = bit("EIME", 11).as(WARL);
  public static final Field IRTA_BASE = bits("IRTA", 63, 12).as(WARL);
  public static final Register IRTA = Register.of64("IRTA_REG", 0xb8, IRTA_S, EIME, IRTA_BASE);

  // Page requests
  public static final Field PQ_INDEX = bits("index", 18, 5);
  public static final Register PQH = Register.of64("PQH_REG", 0xc0, PQ_INDEX);
  public static final Register PQT = Register.of64("PQT_REG", 0xc8, PQ_INDEX);
  public static final Field PQS = bits("PQS", 2, 0);
  public static final Field PQA_BASE = bits("PQA", 63, 12).as(WARL);
  public static final Register PQA = Register.of64("PQA_REG", 0xd0, PQS, PQA_BASE);
  public static final Field PPR = bit("PPR", 0).as(RW1C);
  public static final Field PRO = bit("PRO", 1).as(RW1C);
  public static final Register PRS = Register.of32("PRS_REG", 0xdc, PPR, PRO);
  public static final Register PECTL = Register.of32("PECTL_REG", 0xe0, IP, IM);
  public static final Register PEDATA = Register.of32("PEDATA_REG", 0xe4, MESSAGE_DATA);
  public static final Register PEADDR = Register.of32("PEADDR_REG", 0xe8, MESSAGE_ADDRESS);
  public static final Register PEUADDR = Register.of32("PEUADDR_REG", 0xec, MESSAGE_UPPER);

  // Memory types Kept for software; a functional model has no memory types of its own.
  public static final Field VCNT = bits("VCNT", 7, 0).as(RO);
  public static final Field FIX = bit("FIX", 8).as(RO);
  public static final Field WC = bit("WC", 10).as(RO);
  public static final Register MTRRCAP = Register.of64("MTRRCAP_REG", 0x100, VCNT, FIX, WC);
  public static final Field MTRR_TYPE = bits("TYPE", 7, 0);
  public static final Field MTRR_FE = bit("FE", 10);
  public static final Field MTRR_E = bit("E", 11);
  public static final Register MTRRDEF =
      Register.of64("MTRRDEF_REG", 0x108, MTRR_TYPE, MTRR_FE, MTRR_E);
  public static final Field MTRR_BASE = bits("BASE", 63, 12).as(WARL);
  public static final Field MTRR_VALID = bit("V", 11);
  public static final Field MTRR_MASK = bits("MASK", 63, 12).as(WARL);

  /** Variable ranges at most. */
  public static final int VARIABLE_RANGES = 10;

  public static final List<Register> MTRR_FIX = fixedRanges();
  public static final List<Register> MTRR_PHYSBASE =
      pairs("MTRR_PHYSBASE", 0x180, MTRR_TYPE, MTRR_BASE);
  public static final List<Register> MTRR_PHYSMASK =
      pairs("MTRR_PHYSMASK", 0x188, MTRR_VALID, MTRR_MASK);

  // Performance monitoring
  public static final Field NCNTR = bits("NCNTR", 15, 0).as(RO);
  public static final Field CW = bits("CW", 22, 16).as(RO);
  public static final Field EGCNT = bits("EGCNT", 28, 24).as(RO);
  public static final Field RIDFS = bit("RIDFS", 32).as(RO);
  public static final Field DIDFS = bit("DIDFS", 33).as(RO);
  public static final Field PASIDFS = bit("PASIDFS", 34).as(RO);
  public static final Field ATFS = bit("ATFS", 35).as(RO);
  public static final Field PTLFS = bit("PTLFS", 36).as(RO);
  public static final Field CWE = bit("CWE", 48).as(RO);
  public static final Field GFS = bit("GFS", 49).as(RO);
  public static final Field IOS = bit("IOS", 50).as(RO);
  public static final Field PCCS = bit("PCCS", 51).as(RO);
  public static final Field CS = bits("CS", 54, 52).as(RO);
  public static final Register PERFCAP =
      Register.of64(
          "PERFCAP_REG",
          0x300,
          NCNTR,
          CW,
          EGCNT,
          RIDFS,
          DIDFS,
          PASIDFS,
          ATFS,
          PTLFS,
          CWE,
          GFS,
          IOS,
          PCCS,
          CS);
  public static final Field OFFSET = bits("offset", 31, 0).as(RO);
  public static final Register PERFCFGOFF = Register.of32("PERFCFGOFF_REG", 0x310, OFFSET);
  public static final Register PERFFRZOFF = Register.of32("PERFFRZOFF_REG", 0x314, OFFSET);
  public static final Register PERFOVFOFF = Register.of32("PERFOVFOFF_REG", 0x318, OFFSET);
  public static final Register PERFCNTROFF = Register.of32("PERFCNTROFF_REG", 0x31c, OFFSET);
  public static final Field PIS = bit("PIS", 0).as(RW1C);
  public static final Register PERFINTRSTS = Register.of32("PERFINTRSTS_REG", 0x324, PIS);
  public static final Register PERFINTRCTL = Register.of32("PERFINTRCTL_REG", 0x328, IP, IM);
  public static final Register PERFINTRDATA =
      Register.of32("PERFINTRDATA_REG", 0x32c, MESSAGE_DATA);
  public static final Register PERFINTRADDR =
      Register.of32("PERFINTRADDR_REG", 0x330, MESSAGE_ADDRESS);
  public static final Register PERFINTRUADDR =
      Register.of32("PERFINTRUADDR_REG", 0x334, MESSAGE_UPPER);

  /** Event groups of the specification. */
  public static final int EVENT_GROUPS = 5;

  public static final List<Register> PERFEVNTCAP = eventCapabilities();

  // Enhanced commands
  public static final Field ECMD_CMD = bits("CMD", 7, 0);
  public static final Field ECMD_OA = bits("OA", 63, 16);
  public static final Register ECMD = Register.of64("ECMD_REG", 0x400, ECMD_CMD, ECMD_OA);
  public static final Field ECEO_OB = bits("OB", 63, 0);
  public static final Register ECEO = Register.of64("ECEO_REG", 0x408, ECEO_OB);
  public static final Field ECRSP_IP = bit("IP", 0).as(RO);
  public static final Field ECRSP_SC = bits("SC", 7, 1).as(RO);
  public static final Field ECRSP_RSLT = bits("RSLT", 63, 16).as(RO);
  public static final Register ECRSP =
      Register.of64("ECRSP_REG", 0x410, ECRSP_IP, ECRSP_SC, ECRSP_RSLT);
  public static final Register ECSTS0 = Register.of64("ECSTS0_REG", 0x420);
  public static final Register ECSTS1 = Register.of64("ECSTS1_REG", 0x428);
  public static final Field ECCAP_BITS = bits("commands", 63, 0).as(RO);
  public static final Register ECCAP0 = Register.of64("ECCAP0_REG", 0x430, ECCAP_BITS);
  public static final Register ECCAP1 = Register.of64("ECCAP1_REG", 0x438, ECCAP_BITS);
  public static final Register ECCAP2 = Register.of64("ECCAP2_REG", 0x440, ECCAP_BITS);
  public static final Field ECNTS = bit("ECNTS", 48).as(RO);
  public static final Field DCNTS = bit("DCNTS", 49).as(RO);
  public static final Field RCFGS = bit("RCFGS", 50).as(RO);
  public static final Field RCNTS = bit("RCNTS", 51).as(RO);
  public static final Field FCNTS = bit("FCNTS", 52).as(RO);
  public static final Field UFCNTS = bit("UFCNTS", 53).as(RO);
  public static final Register ECCAP3 =
      Register.of64("ECCAP3_REG", 0x448, ECNTS, DCNTS, RCFGS, RCNTS, FCNTS, UFCNTS);

  // RDTC_REG
  public static final Field RMID = bits("RMID", 11, 0);
  public static final Field CLOS = bits("CLOS", 36, 32);
  public static final Register RDTC = Register.of64("RDTC_REG", 0xdc0, RMID, CLOS);

  // IVA_REG and IOTLB_REG, at an offset that ECAP.IRO tells
  public static final Field IVA_AM = bits("AM", 5, 0).as(WO);
  public static final Field IVA_IH = bit("IH", 6).as(WO);
  public static final Field IVA_ADDR = bits("ADDR", 63, 12).as(WO);
  public static final Field IOTLB_DID = bits("DID", 47, 32);
  public static final Field IOTLB_DW = bit("DW", 48);
  public static final Field IOTLB_DR = bit("DR", 49);
  public static final Field IAIG = bits("IAIG", 58, 57).as(RO);
  public static final Field IIRG = bits("IIRG", 61, 60);
  public static final Field IVT = bit("IVT", 63);

  /** Every register at a fixed offset, by offset. */
  public static final List<Register> ALL = all();

  private Registers() {}

  /** IVA_REG of a unit with this ECAP. */
  public static Register iva(long ecap) {
    int at = 16 * ExtendedCapability.IRO.getInt(ecap);
    return Register.of64("IVA_REG", at, IVA_AM, IVA_IH, IVA_ADDR);
  }

  /** IOTLB_REG of a unit with this ECAP. */
  public static Register iotlb(long ecap) {
    int at = 16 * ExtendedCapability.IRO.getInt(ecap) + 8;
    return Register.of64("IOTLB_REG", at, IOTLB_DID, IOTLB_DW, IOTLB_DR, IAIG, IIRG, IVT);
  }

  private static List<Register> fixedRanges() {
    List<String> names =
        List.of(
            "64K_00000",
            "16K_80000",
            "16K_A0000",
            "4K_C0000",
            "4K_C8000",
            "4K_D0000",
            "4K_D8000",
            "4K_E0000",
            "4K_E8000",
            "4K_F0000",
            "4K_F8000");
    List<Register> list = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      list.add(Register.of64("MTRR_FIX" + names.get(i), 0x120 + 8 * i, bits("types", 63, 0)));
    }
    return List.copyOf(list);
  }

  private static List<Register> pairs(String name, int first, Field... fields) {
    List<Register> list = new ArrayList<>();
    for (int n = 0; n < VARIABLE_RANGES; n++) {
      list.add(Register.of64(name + n, first + 16 * n, fields));
    }
    return List.copyOf(list);
  }

  private static List<Register> eventCapabilities() {
    List<Register> list = new ArrayList<>();
    for (int g = 0; g < EVENT_GROUPS; g++) {
      list.add(
          Register.of64("PERFEVNTCAP" + g + "_REG", 0x380 + 8 * g, bits("events", 27, 0).as(RO)));
    }
    return List.copyOf(list);
  }

  private static List<Register> all() {
    List<Register> list =
        new ArrayList<>(
            List.of(
                VER,
                Capability.REGISTER,
                ExtendedCapability.REGISTER,
                GCMD,
                GSTS,
                RTADDR,
                CCMD,
                FSTS,
                FECTL,
                FEDATA,
                FEADDR,
                FEUADDR,
                AFLOG,
                PMEN,
                PLMBASE,
                PLMLIMIT,
                PHMBASE,
                PHMLIMIT,
                IQH,
                IQT,
                IQA,
                ICS,
                IECTL,
                IEDATA,
                IEADDR,
                IEUADDR,
                IQERCD,
                IRTA,
                PQH,
                PQT,
                PQA,
                PRS,
                PECTL,
                PEDATA,
                PEADDR,
                PEUADDR,
                MTRRCAP,
                MTRRDEF));
    list.addAll(MTRR_FIX);
    for (int n = 0; n < VARIABLE_RANGES; n++) {
      list.add(MTRR_PHYSBASE.get(n));
      list.add(MTRR_PHYSMASK.get(n));
    }
    list.addAll(
        List.of(
            PERFCAP,
            PERFCFGOFF,
            PERFFRZOFF,
            PERFOVFOFF,
            PERFCNTROFF,
            PERFINTRSTS,
            PERFINTRCTL,
            PERFINTRDATA,
            PERFINTRADDR,
            PERFINTRUADDR));
    list.addAll(PERFEVNTCAP);
    list.addAll(List.of(ECMD, ECEO, ECRSP, ECSTS0, ECSTS1, ECCAP0, ECCAP1, ECCAP2, ECCAP3, RDTC));
    return List.copyOf(list);
  }
}
