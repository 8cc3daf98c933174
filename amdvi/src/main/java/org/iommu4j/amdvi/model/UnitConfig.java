package org.iommu4j.amdvi.model;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.CapabilityBlock;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.VirtualFunction;
import org.iommu4j.amdvi.layout.VirtualFunctionControl;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.CacheSettings;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Field;
import org.jspecify.annotations.Nullable;

/**
 * What a unit is built like: its feature registers, its capability block, and the parameters that
 * the specification leaves to the implementation.
 *
 * @param features value of the Extended Feature Register
 * @param features2 value of the Extended Feature 2 Register
 * @param header value of the capability header
 * @param base MMIO base address in the capability block
 * @param misc0 value of Miscellaneous Information 0
 * @param misc1 value of Miscellaneous Information 1
 * @param noHostTables the IVHD says HATDis: host page tables are not supported
 * @param smiAborted messages whose delivery mode is SMI are refused like those beyond the table
 * @param zeroReset registers reset to 0, where silicon has lengths and Coherent set
 * @param banks counter banks, if EFR.PCSup
 * @param counters counters of each bank
 * @param itags Invalidation Requests that can be outstanding, 1..32
 * @param deviceId the unit's own DeviceID: whose host tables map the private address space
 * @param guests GuestIDs that the unit serves, from 0 on
 * @param vfBase where the VF MMIO aperture is; 0: firmware has not placed it
 * @param vfControlBase where the VF Control MMIO aperture is; 0: firmware has not placed it
 * @param rmp the reverse map table of a system that is SNP-enabled from the start; null: it is not
 * @param caches how it caches
 */
record UnitConfig(
    long features,
    long features2,
    int header,
    long base,
    int misc0,
    int misc1,
    boolean noHostTables,
    boolean smiAborted,
    boolean zeroReset,
    int banks,
    int counters,
    int itags,
    int deviceId,
    int guests,
    long vfBase,
    long vfControlBase,
    @Nullable Rmp rmp,
    CacheSettings caches) {

  /**
   * Everything that the model has, see the class's list of what it does not have, but for virtual
   * IOMMUs: those need apertures placed.
   */
  static final long FEATURES =
      ExtendedFeatures.PREF_SUP.mask()
          | ExtendedFeatures.PPR_SUP.mask()
          | ExtendedFeatures.XT_SUP.mask()
          | ExtendedFeatures.NX_SUP.mask()
          | ExtendedFeatures.GT_SUP.mask()
          | ExtendedFeatures.IA_SUP.mask()
          | ExtendedFeatures.GA_SUP.mask()
          | ExtendedFeatures.HE_SUP.mask()
          | ExtendedFeatures.HATS.of(2)
          | ExtendedFeatures.GATS.of(1)
          | ExtendedFeatures.GLX_SUP.of(2)
          | ExtendedFeatures.SMIF_SUP.of(1)
          | ExtendedFeatures.SMIF_RC.of(4)
          | ExtendedFeatures.GAM_SUP.of(1)
          | ExtendedFeatures.DUAL_PPR_LOG_SUP.of(2)
          | ExtendedFeatures.DUAL_EVENT_LOG_SUP.of(2)
          | ExtendedFeatures.PAS_MAX.of(19)
          | ExtendedFeatures.US_SUP.mask()
          | ExtendedFeatures.DEV_TBL_SEG_SUP.of(3)
          | ExtendedFeatures.PPR_OVRFLW_EARLY_SUP.mask()
          | ExtendedFeatures.PPR_AUTO_RSP_SUP.mask()
          | ExtendedFeatures.MARC_SUP.of(1)
          | ExtendedFeatures.BLK_STOP_MRK_SUP.mask()
          | ExtendedFeatures.MSI_CAP_MMIO_SUP.mask()
          | ExtendedFeatures.GIO_SUP.mask()
          | ExtendedFeatures.HA_SUP.mask()
          | ExtendedFeatures.EPH_SUP.mask()
          | ExtendedFeatures.HD_SUP.mask()
          | ExtendedFeatures.INV_IOTLB_TYPE_SUP.mask()
          | ExtendedFeatures.GA_UPDATE_DIS_SUP.mask();

  /** 2,048 interrupts per function; GCR3 tables in guest memory. */
  static final long FEATURES_2 =
      ExtendedFeatures.NUM_INT_REMAP_SUP.of(1) | ExtendedFeatures.GCR3_TRP_MODE_SUP.mask();

  /** Secure device, an IOMMU of revision 1, with device IOTLBs, EFR and a long block. */
  static final int HEADER = 0x190b_000f;

  /** 48-bit guest, 52-bit physical and 64-bit virtual addresses. */
  static final int MISC_0 =
      (int)
          (CapabilityBlock.GVA_SIZE.of(2)
              | CapabilityBlock.PA_SIZE.of(52)
              | CapabilityBlock.VA_SIZE.of(64));

  /** What the model has no part for: announcing it would be a pretence. */
  private static final List<Field> ABSENT =
      List.of(
          ExtendedFeatures.SATS_SUP,
          ExtendedFeatures.VM_GUARD_IO_SUP,
          ExtendedFeatures.VM_TABLE_SIZE);

  /**
   * Choice: the architecture has 65,536; registers of a guest take about 2 KiB once they are
   * written, of 4,096 guests 8 MiB.
   */
  private static final int GUESTS = 4096;

  /** The same of Extended Feature 2. */
  private static final List<Field> ABSENT_2 =
      List.of(ExtendedFeatures.SEV_SNP_IO_SUP, ExtendedFeatures.TMPM_SUP);

  static final List<Option> OPTIONS = options();

  private static List<Option> options() {
    List<Option> all =
        new ArrayList<>(
            List.of(
                new Option(
                    "efr", "number", hex(FEATURES), "value of the Extended Feature Register"),
                new Option("efr2", "number", hex(FEATURES_2), "value of Extended Feature 2"),
                new Option("cap_header", "number", hex(HEADER), "value of the capability header"),
                new Option("base", "number", "0", "MMIO base address in the capability block"),
                new Option("misc_0", "number", hex(MISC_0), "value of Miscellaneous Information 0"),
                new Option("misc_1", "number", "0", "value of Miscellaneous Information 1"),
                new Option("hat_dis", "flag", "false", "host page tables are not supported (IVHD)"),
                new Option("smi_aborted", "flag", "false", "SMI messages are refused (QEMU)"),
                new Option("zero_reset", "flag", "false", "all registers reset to 0 (QEMU)"),
                new Option("counter_banks", "1..63", "2", "counter banks, if EFR.PCSup"),
                new Option("counters", "1..15", "4", "counters of each bank"),
                new Option("itags", "1..32", "32", "outstanding invalidation requests"),
                new Option("device_id", "0..65535", "2", "the unit's own DeviceID"),
                new Option("guests", "1..65536", "4096", "GuestIDs served, if EFR.vIOMMUSup"),
                new Option("vf_base", "number", "0", "VF MMIO aperture, if EFR.vIOMMUSup"),
                new Option(
                    "vf_control_base", "number", "0", "VF Control MMIO aperture, if EFR.vIOMMUSup"),
                new Option(
                    "rmp_base", "number", "0", "SEV-SNP is on: RMP_BASE of the reverse map table"),
                new Option("rmp_end", "number", "0", "RMP_END: its last byte"),
                new Option("rmp_cfg", "number", "0", "RMP_CFG: whether it has segments")));
    all.addAll(CacheSettings.OPTIONS);
    return List.copyOf(all);
  }

  static UnitConfig of(Options o) {
    UnitConfig config =
        new UnitConfig(
            o.number("efr", FEATURES),
            o.number("efr2", FEATURES_2),
            (int) o.number("cap_header", HEADER),
            o.number("base", 0),
            (int) o.number("misc_0", MISC_0),
            (int) o.number("misc_1", 0),
            o.flag("hat_dis", false),
            o.flag("smi_aborted", false),
            o.flag("zero_reset", false),
            o.integer("counter_banks", 2, 1, 63),
            o.integer("counters", 4, 1, 15),
            o.integer("itags", 32, 1, 32),
            o.integer("device_id", 2, 0, 0xffff),
            o.integer("guests", GUESTS, 1, VirtualFunction.GUESTS),
            o.number("vf_base", 0),
            o.number("vf_control_base", 0),
            Rmp.of(o.number("rmp_base", 0), o.number("rmp_end", 0), o.number("rmp_cfg", 0)),
            CacheSettings.of(o));
    o.finish(OPTIONS.stream().map(Option::name).toList());
    config.check();
    return config;
  }

  private void check() {
    if (CapabilityBlock.CAP_ID.get(header) != 0xf || CapabilityBlock.CAP_TYPE.get(header) != 3) {
      throw invalid("cap_header", "has to have CapId 0Fh and CapType 3");
    }
    if (ExtendedFeatures.HATS.get(features) == 3 && !noHostTables) {
      throw invalid("efr", "HATS = 3 is reserved");
    }
    if (ExtendedFeatures.GATS.get(features) > 2) {
      throw invalid("efr", "GATS = 3 is reserved");
    }
    if (ExtendedFeatures.GLX_SUP.get(features) == 3) {
      throw invalid("efr", "GLXSup = 3 is reserved");
    }
    if ((vfBase & VirtualFunction.APERTURE_BYTES - 1) != 0) {
      throw invalid("vf_base", "has to be a multiple of 256 MiB");
    }
    if ((vfControlBase & VirtualFunctionControl.APERTURE_BYTES - 1) != 0) {
      throw invalid("vf_control_base", "has to be a multiple of 4 MiB");
    }
    for (Field f : ABSENT) {
      if (f.isSet(features)) {
        throw invalid("efr", f.name() + ": is not part of the model");
      }
    }
    for (Field f : ABSENT_2) {
      if (f.isSet(features2)) {
        throw invalid("efr2", f.name() + ": is not part of the model");
      }
    }
    if (rmp != null && !has(ExtendedFeatures.SNP_SUP)) {
      throw invalid("rmp_base", "needs SNPSup, bit 63 of efr");
    }
  }

  private static Options.InvalidOption invalid(String name, String message) {
    return new Options.InvalidOption(name, message);
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  /** The features of a machine's register less those that the model does not have. */
  static long present(long features) {
    long f = features;
    for (Field absent : ABSENT) {
      f &= ~absent.mask();
    }
    return f;
  }

  /** The same for Extended Feature 2. */
  static long present2(long features) {
    long f = features;
    for (Field absent : ABSENT_2) {
      f &= ~absent.mask();
    }
    return f;
  }

  /** Whether EFR has the feature. */
  boolean has(Field feature) {
    return CapabilityBlock.EFR_SUP.isSet(header) && feature.isSet(features);
  }

  /** A field of EFR. */
  int field(Field feature) {
    return CapabilityBlock.EFR_SUP.isSet(header) ? feature.getInt(features) : 0;
  }

  /** Levels of host tables at most. */
  int hostLevels() {
    return noHostTables ? 0 : 4 + field(ExtendedFeatures.HATS);
  }

  /** GCR3 table levels at most, minus 1. */
  int glx() {
    return field(ExtendedFeatures.GLX_SUP);
  }

  /** NpCache: entries that are not present may be cached. */
  boolean keepsAbsent() {
    return CapabilityBlock.NP_CACHE.isSet(header);
  }

  /** Device IOTLBs. */
  boolean deviceIotlbs() {
    return CapabilityBlock.IOTLB_SUP.isSet(header);
  }
}
