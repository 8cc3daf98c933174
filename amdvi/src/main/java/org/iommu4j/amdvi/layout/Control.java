package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.Kind.WARL;

import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/** The Control register: what of a unit is on. 48882, MMIO offset 0018h. */
public final class Control {
  public static final Field IOMMU_EN = bit("IommuEn", 0);
  public static final Field HT_TUN_EN = bit("HtTunEn", 1);
  public static final Field EVENT_LOG_EN = bit("EventLogEn", 2);
  public static final Field EVENT_INT_EN = bit("EventIntEn", 3);
  public static final Field COM_WAIT_INT_EN = bit("ComWaitIntEn", 4);

  /** Time for a device to answer: 0 none, 1 1 ms and so on by powers of ten up to 6, 100 s. */
  public static final Field INV_TIME_OUT = bits("InvTimeOut", 7, 5);

  public static final Field PASS_PW = bit("PassPW", 8);
  public static final Field RES_PASS_PW = bit("ResPassPW", 9);
  public static final Field COHERENT = bit("Coherent", 10);
  public static final Field ISOC = bit("Isoc", 11);
  public static final Field CMD_BUF_EN = bit("CmdBufEn", 12);
  public static final Field PPR_LOG_EN = bit("PPRLogEn", 13);
  public static final Field PPR_INT_EN = bit("PprIntEn", 14);
  public static final Field PPR_EN = bit("PPREn", 15);

  /** Guest translation. */
  public static final Field GT_EN = bit("GTEn", 16);

  /** 128-bit interrupt remapping entries. */
  public static final Field GA_EN = bit("GAEn", 17);

  public static final Field CRW = bits("CRW", 21, 18);
  public static final Field SMIF_EN = bit("SmiFEn", 22);
  public static final Field SLF_WB_DIS = bit("SlfWBDis", 23);
  public static final Field SMIF_LOG_EN = bit("SmiFLogEn", 24);

  /** Guest APIC mode: 1 allows IRTE.GuestMode. */
  public static final Field GAM_EN = bits("GAMEn", 27, 25);

  public static final Field GA_LOG_EN = bit("GALogEn", 28);
  public static final Field GA_INT_EN = bit("GAIntEn", 29);

  /** 0 log A, 1 log B, 2 the other one when one is full. */
  public static final Field DUAL_PPR_LOG_EN = bits("DualPprLogEn", 31, 30);

  public static final Field DUAL_EVENT_LOG_EN = bits("DualEventLogEn", 33, 32);

  /** 2^DevTblSegEn segments of the device table. */
  public static final Field DEV_TBL_SEG_EN = bits("DevTblSegEn", 36, 34);

  public static final Field PRIV_ABRT_EN = bits("PrivAbrtEn", 38, 37);
  public static final Field PPR_AUTO_RSP_EN = bit("PprAutoRspEn", 39);
  public static final Field MARC_EN = bit("MarcEn", 40);
  public static final Field BLK_STOP_MRK_EN = bit("BlkStopMrkEn", 41);
  public static final Field PPR_AUTO_RSP_AON = bit("PprAutoRspAon", 42);

  /** 0 512 interrupts per function, 1 2048. */
  public static final Field NUM_INT_REMAP_MODE = bits("NumIntRemapMode", 44, 43);

  /** Enhanced page request handling: PPR and GPRP of device table entries are valid. */
  public static final Field EPH_EN = bit("EPHEn", 45);

  /** Host A/D update mode. */
  public static final Field HAD_UPDATE = bits("HADUpdate", 47, 46);

  /** No dirty update in guest tables. */
  public static final Field GD_UPDATE_DIS = bit("GDUpdateDis", 48);

  /** 32-bit destinations in interrupt remapping entries. */
  public static final Field XT_EN = bit("XTEn", 50);

  /** The unit's own interrupts go by the XT registers. */
  public static final Field INT_CAP_XT_EN = bit("IntCapXTEn", 51);

  public static final Field VCMD_EN = bit("vCmdEn", 52);
  public static final Field VIOMMU_EN = bit("vIommuEn", 53);

  /** No accessed update in guest tables. */
  public static final Field GA_UPDATE_DIS = bit("GAUpdateDis", 54);

  public static final Field GAPPI_EN = bit("GAPPIEn", 55);
  public static final Field TMPM_EN = bit("TMPMEn", 56);

  /** DTE.GCR3TRP is a guest-physical address. */
  public static final Field GCR3_TRP_MODE = bit("GCR3TRPMode", 58);

  /** Interrupt remapping entries are not cached. */
  public static final Field IRT_CACHE_DIS = bit("IRTCacheDis", 59);

  public static final Field GST_BUFFER_TRP_MODE = bit("GstBufferTRPMode", 60);
  public static final Field SNP_AVIC_EN = bits("SNPAVICEn", 63, 61);

  /** In the specification's order. */
  public static final List<Field> FIELDS =
      List.of(
          IOMMU_EN,
          HT_TUN_EN,
          EVENT_LOG_EN,
          EVENT_INT_EN,
          COM_WAIT_INT_EN,
          INV_TIME_OUT,
          PASS_PW,
          RES_PASS_PW,
          COHERENT,
          ISOC,
          CMD_BUF_EN,
          PPR_LOG_EN,
          PPR_INT_EN,
          PPR_EN,
          GT_EN,
          GA_EN,
          CRW,
          SMIF_EN,
          SLF_WB_DIS,
          SMIF_LOG_EN,
          GAM_EN,
          GA_LOG_EN,
          GA_INT_EN,
          DUAL_PPR_LOG_EN,
          DUAL_EVENT_LOG_EN,
          DEV_TBL_SEG_EN,
          PRIV_ABRT_EN,
          PPR_AUTO_RSP_EN,
          MARC_EN,
          BLK_STOP_MRK_EN,
          PPR_AUTO_RSP_AON,
          NUM_INT_REMAP_MODE,
          EPH_EN,
          HAD_UPDATE,
          GD_UPDATE_DIS,
          XT_EN,
          INT_CAP_XT_EN,
          VCMD_EN,
          VIOMMU_EN,
          GA_UPDATE_DIS,
          GAPPI_EN,
          TMPM_EN,
          GCR3_TRP_MODE,
          IRT_CACHE_DIS,
          GST_BUFFER_TRP_MODE,
          SNP_AVIC_EN);

  public static final Register REGISTER = new Register("Control", 0x18, 8, FIELDS);

  private Control() {}

  private static Field bit(String name, int at) {
    return bits(name, at, at);
  }

  private static Field bits(String name, int hi, int lo) {
    return Field.bits(name, hi, lo).as(WARL);
  }
}
