package org.iommu4j.riscv.layout;

import static org.iommu4j.core.bits.Field.Kind.RO;
import static org.iommu4j.core.bits.Field.Kind.RW1C;
import static org.iommu4j.core.bits.Field.Kind.WARL;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/** The memory-mapped registers. RISC-V IOMMU §6. */
public final class Registers {
  /** Bytes of the register page. */
  public static final int BYTES = 4096;

  // fctl §6.4
  public static final Field BE = bit("BE", 0).as(WARL);
  public static final Field WSI = bit("WSI", 1).as(WARL);
  public static final Field GXL = bit("GXL", 2).as(WARL);
  public static final Register FCTL = Register.of32("fctl", 0x08, BE, WSI, GXL);

  // ddtp §6.5
  public static final Field IOMMU_MODE = bits("iommu_mode", 3, 0).as(WARL);
  public static final Field DDTP_BUSY = bit("busy", 4).as(RO);
  public static final Field DDTP_PPN = bits("PPN", 53, 10).as(WARL);
  public static final Register DDTP = Register.of64("ddtp", 0x10, IOMMU_MODE, DDTP_BUSY, DDTP_PPN);

  public static final int MODE_OFF = 0;
  public static final int MODE_BARE = 1;
  public static final int MODE_1LVL = 2;
  public static final int MODE_2LVL = 3;
  public static final int MODE_3LVL = 4;

  // cqb, fqb, pqb §6.6, 6.9, 6.12: entries = 2^(LOG2SZ-1 + 1)
  public static final Field LOG2SZ_1 = bits("LOG2SZ-1", 4, 0).as(WARL);
  public static final Field QUEUE_PPN = bits("PPN", 53, 10).as(WARL);
  public static final Register CQB = Register.of64("cqb", 0x18, LOG2SZ_1, QUEUE_PPN);
  public static final Register FQB = Register.of64("fqb", 0x28, LOG2SZ_1, QUEUE_PPN);
  public static final Register PQB = Register.of64("pqb", 0x38, LOG2SZ_1, QUEUE_PPN);

  // Queue indices: what software owns is WARL, what the IOMMU owns is RO.
  public static final Field INDEX = bits("index", 31, 0).as(WARL);
  public static final Field OWN_INDEX = bits("index", 31, 0).as(RO);
  public static final Register CQH = Register.of32("cqh", 0x20, OWN_INDEX);
  public static final Register CQT = Register.of32("cqt", 0x24, INDEX);
  public static final Register FQH = Register.of32("fqh", 0x30, INDEX);
  public static final Register FQT = Register.of32("fqt", 0x34, OWN_INDEX);
  public static final Register PQH = Register.of32("pqh", 0x40, INDEX);
  public static final Register PQT = Register.of32("pqt", 0x44, OWN_INDEX);

  // cqcsr §6.15
  public static final Field CQEN = bit("cqen", 0);
  public static final Field CIE = bit("cie", 1);
  public static final Field CQMF = bit("cqmf", 8).as(RW1C);
  public static final Field CMD_TO = bit("cmd_to", 9).as(RW1C);
  public static final Field CMD_ILL = bit("cmd_ill", 10).as(RW1C);
  public static final Field FENCE_W_IP = bit("fence_w_ip", 11).as(RW1C);
  public static final Field CQON = bit("cqon", 16).as(RO);
  public static final Field CQ_BUSY = bit("busy", 17).as(RO);
  public static final Register CQCSR =
      Register.of32("cqcsr", 0x48, CQEN, CIE, CQMF, CMD_TO, CMD_ILL, FENCE_W_IP, CQON, CQ_BUSY);

  // fqcsr §6.16
  public static final Field FQEN = bit("fqen", 0);
  public static final Field FIE = bit("fie", 1);
  public static final Field FQMF = bit("fqmf", 8).as(RW1C);
  public static final Field FQOF = bit("fqof", 9).as(RW1C);
  public static final Field FQON = bit("fqon", 16).as(RO);
  public static final Field FQ_BUSY = bit("busy", 17).as(RO);
  public static final Register FQCSR =
      Register.of32("fqcsr", 0x4c, FQEN, FIE, FQMF, FQOF, FQON, FQ_BUSY);

  // pqcsr §6.17
  public static final Field PQEN = bit("pqen", 0);
  public static final Field PIE = bit("pie", 1);
  public static final Field PQMF = bit("pqmf", 8).as(RW1C);
  public static final Field PQOF = bit("pqof", 9).as(RW1C);
  public static final Field PQON = bit("pqon", 16).as(RO);
  public static final Field PQ_BUSY = bit("busy", 17).as(RO);
  public static final Register PQCSR =
      Register.of32("pqcsr", 0x50, PQEN, PIE, PQMF, PQOF, PQON, PQ_BUSY);

  // ipsr §6.18
  public static final Field CIP = bit("cip", 0).as(RW1C);
  public static final Field FIP = bit("fip", 1).as(RW1C);
  public static final Field PMIP = bit("pmip", 2).as(RW1C);
  public static final Field PIP = bit("pip", 3).as(RW1C);
  public static final Register IPSR = Register.of32("ipsr", 0x54, CIP, FIP, PMIP, PIP);

  // Performance monitoring §6.19 to §6.23
  public static final Field CY = bit("CY", 0);
  public static final Register IOCOUNTOVF =
      Register.of32("iocountovf", 0x58, CY.as(RO), bits("HPM", 31, 1).as(RO));
  public static final Register IOCOUNTINH =
      Register.of32("iocountinh", 0x5c, CY.as(WARL), bits("HPM", 31, 1).as(WARL));
  public static final Field CYCLES_COUNTER = bits("counter", 62, 0).as(WARL);
  public static final Field CYCLES_OF = bit("OF", 63);
  public static final Register IOHPMCYCLES =
      Register.of64("iohpmcycles", 0x60, CYCLES_COUNTER, CYCLES_OF);
  public static final Field COUNTER = bits("counter", 63, 0).as(WARL);
  public static final Field EVENT_ID = bits("eventID", 14, 0).as(WARL);
  public static final Field DMASK = bit("DMASK", 15);
  public static final Field PID_PSCID = bits("PID_PSCID", 35, 16);
  public static final Field DID_GSCID = bits("DID_GSCID", 59, 36);
  public static final Field PV_PSCV = bit("PV_PSCV", 60);
  public static final Field DV_GSCV = bit("DV_GSCV", 61);
  public static final Field IDT = bit("IDT", 62);
  public static final Field OF = bit("OF", 63);

  /** Event counters at most; counter n (1..31) is element n-1. */
  public static final int COUNTERS = 31;

  public static final List<Register> IOHPMCTR = counters();
  public static final List<Register> IOHPMEVT = selectors();

  // Debug translation §6.24 to §6.26
  public static final Field VPN = bits("vpn", 63, 12);
  public static final Register TR_REQ_IOVA = Register.of64("tr_req_iova", 0x258, VPN);
  public static final Field GO_BUSY = bit("Go/Busy", 0).as(Field.Kind.RW1S);
  public static final Field TR_PRIV = bit("Priv", 1);
  public static final Field TR_EXE = bit("Exe", 2);
  public static final Field TR_NW = bit("NW", 3);
  public static final Field TR_PID = bits("PID", 31, 12);
  public static final Field TR_PV = bit("PV", 32);
  public static final Field TR_DID = bits("DID", 63, 40);
  public static final Register TR_REQ_CTL =
      Register.of64("tr_req_ctl", 0x260, GO_BUSY, TR_PRIV, TR_EXE, TR_NW, TR_PID, TR_PV, TR_DID);
  public static final Field TR_FAULT = bit("fault", 0).as(RO);
  public static final Field TR_PBMT = bits("PBMT", 8, 7).as(RO);
  public static final Field TR_S = bit("S", 9).as(RO);
  public static final Field TR_PPN = bits("PPN", 53, 10).as(RO);
  public static final Register TR_RESPONSE =
      Register.of64("tr_response", 0x268, TR_FAULT, TR_PBMT, TR_S, TR_PPN);

  // iommu_qosid §6.27
  public static final Field QOS_RCID = bits("RCID", 11, 0).as(WARL);
  public static final Field QOS_MCID = bits("MCID", 27, 16).as(WARL);
  public static final Register IOMMU_QOSID =
      Register.of32("iommu_qosid", 0x270, QOS_RCID, QOS_MCID);

  // icvec §6.28
  public static final Field CIV = bits("civ", 3, 0).as(WARL);
  public static final Field FIV = bits("fiv", 7, 4).as(WARL);
  public static final Field PMIV = bits("pmiv", 11, 8).as(WARL);
  public static final Field PIV = bits("piv", 15, 12).as(WARL);
  public static final Register ICVEC = Register.of64("icvec", 0x2f8, CIV, FIV, PMIV, PIV);

  // msi_cfg_tbl §6.29
  /** Entries of the MSI configuration table. */
  public static final int VECTORS = 16;

  public static final Field MSI_ADDR_FIELD = bits("ADDR", 55, 2).as(WARL);
  public static final Field MSI_DATA_FIELD = bits("data", 31, 0).as(WARL);
  public static final Field MSI_MASK = bit("M", 0);
  public static final List<Register> MSI_ADDR = vectors("msi_addr_", 0x300, 8, MSI_ADDR_FIELD);
  public static final List<Register> MSI_DATA = vectors("msi_data_", 0x308, 4, MSI_DATA_FIELD);
  public static final List<Register> MSI_VEC_CTL = vectors("msi_vec_ctl_", 0x30c, 4, MSI_MASK);

  /** Every register, by offset. */
  public static final List<Register> ALL = all();

  private Registers() {}

  private static List<Register> counters() {
    List<Register> list = new ArrayList<>();
    for (int n = 1; n <= COUNTERS; n++) {
      list.add(Register.of64("iohpmctr" + n, 0x68 + 8 * (n - 1), COUNTER));
    }
    return List.copyOf(list);
  }

  private static List<Register> selectors() {
    List<Register> list = new ArrayList<>();
    for (int n = 1; n <= COUNTERS; n++) {
      list.add(
          Register.of64(
              "iohpmevt" + n,
              0x160 + 8 * (n - 1),
              EVENT_ID,
              DMASK,
              PID_PSCID,
              DID_GSCID,
              PV_PSCV,
              DV_GSCV,
              IDT,
              OF));
    }
    return List.copyOf(list);
  }

  private static List<Register> vectors(String name, int first, int width, Field field) {
    List<Register> list = new ArrayList<>();
    for (int v = 0; v < VECTORS; v++) {
      list.add(new Register(name + v, first + 16 * v, width, List.of(field)));
    }
    return List.copyOf(list);
  }

  private static List<Register> all() {
    List<Register> list =
        new ArrayList<>(
            List.of(
                Capabilities.REGISTER,
                FCTL,
                DDTP,
                CQB,
                CQH,
                CQT,
                FQB,
                FQH,
                FQT,
                PQB,
                PQH,
                PQT,
                CQCSR,
                FQCSR,
                PQCSR,
                IPSR,
                IOCOUNTOVF,
                IOCOUNTINH,
                IOHPMCYCLES));
    list.addAll(IOHPMCTR);
    list.addAll(IOHPMEVT);
    list.addAll(List.of(TR_REQ_IOVA, TR_REQ_CTL, TR_RESPONSE, IOMMU_QOSID, ICVEC));
    for (int v = 0; v < VECTORS; v++) {
      list.addAll(List.of(MSI_ADDR.get(v), MSI_DATA.get(v), MSI_VEC_CTL.get(v)));
    }
    return List.copyOf(list);
  }
}
