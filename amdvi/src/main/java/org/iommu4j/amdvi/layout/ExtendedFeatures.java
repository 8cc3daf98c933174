package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.Kind.RO;

import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/** The Extended Feature Register: what a unit has. 48882, MMIO offset 0030h. */
public final class ExtendedFeatures {
  public static final Field PREF_SUP = ro("PreFSup", 0, 0);
  public static final Field PPR_SUP = ro("PPRSup", 1, 1);

  /** x2APIC destinations. */
  public static final Field XT_SUP = ro("XTSup", 2, 2);

  /** No-execute and privilege levels. */
  public static final Field NX_SUP = ro("NXSup", 3, 3);

  /** Guest translation. */
  public static final Field GT_SUP = ro("GTSup", 4, 4);

  public static final Field GAPPI_SUP = ro("GAPPISup", 5, 5);

  /** INVALIDATE_IOMMU_ALL. */
  public static final Field IA_SUP = ro("IASup", 6, 6);

  /** 128-bit interrupt remapping entries. */
  public static final Field GA_SUP = ro("GASup", 7, 7);

  /** Hardware event registers. */
  public static final Field HE_SUP = ro("HESup", 8, 8);

  /** Performance counters. */
  public static final Field PC_SUP = ro("PCSup", 9, 9);

  /** Levels of host tables: 4 + HATS. */
  public static final Field HATS = ro("HATS", 11, 10);

  /** Levels of guest tables: 4 + GATS. */
  public static final Field GATS = ro("GATS", 13, 12);

  /** Levels of GCR3 tables: 1 + GLXSup. */
  public static final Field GLX_SUP = ro("GLXSup", 15, 14);

  public static final Field SMIF_SUP = ro("SmiFSup", 17, 16);

  /** 2^SmiFRC SMI filter registers. */
  public static final Field SMIF_RC = ro("SmiFRC", 20, 18);

  /** Guest virtual APIC modes. */
  public static final Field GAM_SUP = ro("GAMSup", 23, 21);

  public static final Field DUAL_PPR_LOG_SUP = ro("DualPprLogSup", 25, 24);
  public static final Field DUAL_EVENT_LOG_SUP = ro("DualEventLogSup", 29, 28);

  /** Secure ATS. */
  public static final Field SATS_SUP = ro("SATSSup", 31, 31);

  /** PASID width, minus 1. */
  public static final Field PAS_MAX = ro("PASmax", 36, 32);

  /** User and supervisor privilege. */
  public static final Field US_SUP = ro("USSup", 37, 37);

  /** 2^DevTblSegSup segments of the device table. */
  public static final Field DEV_TBL_SEG_SUP = ro("DevTblSegSup", 39, 38);

  public static final Field PPR_OVRFLW_EARLY_SUP = ro("PprOvrflwEarlySup", 40, 40);
  public static final Field PPR_AUTO_RSP_SUP = ro("PprAutoRspSup", 41, 41);

  /** Memory access routing and control: 1 is four apertures. */
  public static final Field MARC_SUP = ro("MarcSup", 43, 42);

  public static final Field BLK_STOP_MRK_SUP = ro("BlkStopMrkSup", 44, 44);
  public static final Field PERF_OPT_SUP = ro("PerfOptSup", 45, 45);
  public static final Field MSI_CAP_MMIO_SUP = ro("MsiCapMmioSup", 46, 46);
  public static final Field SNOOP_ATTR_SUP = ro("SnoopAttrSup", 47, 47);

  /** Guest I/O protection: DTE.GIOV. */
  public static final Field GIO_SUP = ro("GIOSup", 48, 48);

  /** Host accessed bit. */
  public static final Field HA_SUP = ro("HASup", 49, 49);

  /** Enhanced PPR handling. */
  public static final Field EPH_SUP = ro("EPHSup", 50, 50);

  public static final Field ATTR_FW_SUP = ro("AttrFWSup", 51, 51);

  /** Host dirty bit. */
  public static final Field HD_SUP = ro("HDSup", 52, 52);

  public static final Field V2_HD_DIS_SUP = ro("V2HDDisSup", 53, 53);
  public static final Field INV_IOTLB_TYPE_SUP = ro("InvIotlbTypeSup", 54, 54);
  public static final Field VIOMMU_SUP = ro("vIOMMUSup", 55, 55);
  public static final Field VM_GUARD_IO_SUP = ro("VMGuardIoSup", 56, 56);
  public static final Field VM_TABLE_SIZE = ro("VMTableSize", 60, 57);
  public static final Field GA_UPDATE_DIS_SUP = ro("GAUpdateDisSup", 61, 61);
  public static final Field FORCE_PHY_DEST_SUP = ro("ForcePhyDestSup", 62, 62);
  public static final Field SNP_SUP = ro("SNPSup", 63, 63);

  /** In the specification's order. */
  public static final List<Field> FIELDS =
      List.of(
          PREF_SUP,
          PPR_SUP,
          XT_SUP,
          NX_SUP,
          GT_SUP,
          GAPPI_SUP,
          IA_SUP,
          GA_SUP,
          HE_SUP,
          PC_SUP,
          HATS,
          GATS,
          GLX_SUP,
          SMIF_SUP,
          SMIF_RC,
          GAM_SUP,
          DUAL_PPR_LOG_SUP,
          DUAL_EVENT_LOG_SUP,
          SATS_SUP,
          PAS_MAX,
          US_SUP,
          DEV_TBL_SEG_SUP,
          PPR_OVRFLW_EARLY_SUP,
          PPR_AUTO_RSP_SUP,
          MARC_SUP,
          BLK_STOP_MRK_SUP,
          PERF_OPT_SUP,
          MSI_CAP_MMIO_SUP,
          SNOOP_ATTR_SUP,
          GIO_SUP,
          HA_SUP,
          EPH_SUP,
          ATTR_FW_SUP,
          HD_SUP,
          V2_HD_DIS_SUP,
          INV_IOTLB_TYPE_SUP,
          VIOMMU_SUP,
          VM_GUARD_IO_SUP,
          VM_TABLE_SIZE,
          GA_UPDATE_DIS_SUP,
          FORCE_PHY_DEST_SUP,
          SNP_SUP);

  public static final Register REGISTER = new Register("Extended Feature", 0x30, 8, FIELDS);

  // Extended Feature 2, offset 01A0h.
  public static final Field SEV_SNP_IO_SUP = ro("SevSnpIoSup", 1, 1);
  public static final Field TMPM_SUP = ro("TMPMSup", 2, 2);
  public static final Field GCR3_TRP_MODE_SUP = ro("GCR3TRPModeSup", 3, 3);
  public static final Field GAPPI_DIS_SUP = ro("GAPPIDisSup", 4, 4);
  public static final Field SNP_AVIC_SUP = ro("SNPAVICSup", 7, 5);

  /** Interrupts per function: 0 512, 1 2048. */
  public static final Field NUM_INT_REMAP_SUP = ro("NumIntRemapSup", 9, 8);

  /** The HyperTransport range is ordinary memory. */
  public static final Field HT_RANGE_IGNORE = ro("HTRangeIgnore", 11, 11);

  public static final Register REGISTER_2 =
      Register.of64(
          "Extended Feature 2",
          0x1a0,
          SEV_SNP_IO_SUP,
          TMPM_SUP,
          GCR3_TRP_MODE_SUP,
          GAPPI_DIS_SUP,
          SNP_AVIC_SUP,
          NUM_INT_REMAP_SUP,
          HT_RANGE_IGNORE);

  private ExtendedFeatures() {}

  private static Field ro(String name, int hi, int lo) {
    return Field.bits(name, hi, lo).as(RO);
  }
}
