package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** The bit fields of the ACPI table IVRS. 48882, "I/O Virtualization ACPI Table". */
public final class IvrsFields {
  // IVinfo of the table
  /** The EFR images of the units' blocks are valid. */
  public static final Field EFR_SUP = bit("EFRSup", 0);

  /** Firmware had devices remapped before the system started. */
  public static final Field DMA_REMAP_SUP = bit("DMAremapSup", 1);

  public static final Field GVA_SIZE = bits("GVAsize", 7, 5);
  public static final Field PA_SIZE = bits("PAsize", 14, 8);

  /** Bits of a device's virtual address; 0 stands for 64. */
  public static final Field VA_SIZE = bits("VAsize", 21, 15);

  public static final Field HT_ATS_RESV = bit("HtAtsResv", 22);
  public static final Layout IV_INFO =
      layout(
          "IVinfo",
          EFR_SUP,
          DMA_REMAP_SUP,
          reserved(4, 2),
          GVA_SIZE,
          PA_SIZE,
          VA_SIZE,
          HT_ATS_RESV,
          reserved(31, 23));

  // Flags of a unit's block
  public static final Field HT_TUN_EN = bit("HtTunEn", 0);
  public static final Field PASS_PW = bit("PassPW", 1);
  public static final Field RES_PASS_PW = bit("ResPassPW", 2);
  public static final Field ISOC = bit("Isoc", 3);
  public static final Field IOTLB_SUP = bit("IotlbSup", 4);
  public static final Field COHERENT = bit("Coherent", 5);

  /** Only in blocks of type 10h. */
  public static final Field PREF_SUP = bit("PreFSup", 6);

  /** Only in blocks of type 10h. */
  public static final Field PPR_SUP = bit("PPRSup", 7);

  public static final Layout UNIT_FLAGS =
      layout(
          "IVHD flags",
          HT_TUN_EN,
          PASS_PW,
          RES_PASS_PW,
          ISOC,
          IOTLB_SUP,
          COHERENT,
          PREF_SUP,
          PPR_SUP);

  // IOMMU info of a unit's block
  public static final Field MSI_NUM = bits("MSInum", 4, 0);
  public static final Field UNIT_ID = bits("UnitID", 12, 8);
  public static final Layout UNIT_INFO =
      layout("IOMMU info", MSI_NUM, reserved(7, 5), UNIT_ID, reserved(15, 13));

  // Feature reporting of type 10h; later types have an image of the EFR instead
  public static final Field XT_SUP = bit("XTSup", 0);
  public static final Field NX_SUP = bit("NXSup", 1);
  public static final Field GT_SUP = bit("GTSup", 2);
  public static final Field GLX_SUP = bits("GLXSup", 4, 3);
  public static final Field IA_SUP = bit("IASup", 5);
  public static final Field GA_SUP = bit("GASup", 6);
  public static final Field HE_SUP = bit("HESup", 7);
  public static final Field PAS_MAX = bits("PASmax", 12, 8);
  public static final Field PN_COUNTERS = bits("PNCounters", 16, 13);
  public static final Field PN_BANKS = bits("PNBanks", 22, 17);
  public static final Field MSI_NUM_PPR = bits("MsiNumPPR", 27, 23);
  public static final Field GATS = bits("GATS", 29, 28);
  public static final Field HATS = bits("HATS", 31, 30);
  public static final Layout FEATURE_REPORTING =
      layout(
          "IOMMU feature reporting",
          XT_SUP,
          NX_SUP,
          GT_SUP,
          GLX_SUP,
          IA_SUP,
          GA_SUP,
          HE_SUP,
          PAS_MAX,
          PN_COUNTERS,
          PN_BANKS,
          MSI_NUM_PPR,
          GATS,
          HATS);

  // Attributes of types 11h and 40h
  /** There are no host tables. */
  public static final Field HAT_DIS = bit("HATDis", 0);

  public static final Layout ATTRIBUTES =
      layout(
          "IOMMU attributes",
          HAT_DIS,
          reserved(12, 1),
          PN_COUNTERS,
          PN_BANKS,
          MSI_NUM_PPR,
          reserved(31, 28));

  // DTE setting of a device entry: what goes into the device table entries
  public static final Field INIT_PASS = bit("INITPass", 0);
  public static final Field EINT_PASS = bit("EIntPass", 1);
  public static final Field NMI_PASS = bit("NMIPass", 2);
  public static final Field SYS_MGT = bits("SysMgt", 5, 4);
  public static final Field LINT0_PASS = bit("Lint0Pass", 6);
  public static final Field LINT1_PASS = bit("Lint1Pass", 7);
  public static final Layout DTE_SETTING =
      layout(
          "DTE setting",
          INIT_PASS,
          EINT_PASS,
          NMI_PASS,
          reserved(3, 3),
          SYS_MGT,
          LINT0_PASS,
          LINT1_PASS);

  /**
   * Extended DTE setting: the device must not use ATS. Choice: bit 31, as ACPICA has it; Linux's
   * constant is bit 28, and Linux does not use it.
   */
  public static final Field ATS_DISABLED = bit("AtsDisabled", 31);

  public static final Layout EXTENDED_DTE_SETTING =
      layout("extended DTE setting", reserved(30, 0), ATS_DISABLED);

  // Flags of a memory block
  /** Mapped one to one. */
  public static final Field UNITY = bit("Unity", 0);

  public static final Field IR = bit("IR", 1);
  public static final Field IW = bit("IW", 2);

  /** An exclusion range: not translated. */
  public static final Field EXCLUSION = bit("ExclusionRange", 3);

  public static final Layout MEMORY_FLAGS =
      layout("IVMD flags", UNITY, IR, IW, EXCLUSION, reserved(7, 4));

  private IvrsFields() {}

  private static Layout layout(String name, Field... fields) {
    return Layout.of(name, "48882, I/O Virtualization ACPI Table", fields);
  }

  /** What word 1 of a device table entry gets from the DTE setting. */
  public static long settingWord1(int setting) {
    return DeviceTableEntry.SYS_MGT.of(SYS_MGT.get(setting));
  }

  /** What word 2 of a device table entry gets from the DTE setting. */
  public static long settingWord2(int setting) {
    return DeviceTableEntry.INIT_PASS.of(INIT_PASS.get(setting))
        | DeviceTableEntry.EINT_PASS.of(EINT_PASS.get(setting))
        | DeviceTableEntry.NMI_PASS.of(NMI_PASS.get(setting))
        | DeviceTableEntry.LINT0_PASS.of(LINT0_PASS.get(setting))
        | DeviceTableEntry.LINT1_PASS.of(LINT1_PASS.get(setting));
  }
}
