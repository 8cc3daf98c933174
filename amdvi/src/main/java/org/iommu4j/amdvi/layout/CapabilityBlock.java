package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.Kind.RO;
import static org.iommu4j.core.bits.Field.Kind.RW1S;
import static org.iommu4j.core.bits.Field.Kind.WARL;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;

import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/**
 * The unit's capability block in PCI configuration space; offsets are from its beginning. 48882,
 * "IOMMU PCI Capability Block".
 */
public final class CapabilityBlock {
  /** Bytes of the block. */
  public static final int BYTES = 0x18;

  /** With the MSI capability behind it. */
  public static final int BYTES_WITH_MSI = 0x28;

  public static final Field CAP_ID = bits("CapId", 7, 0).as(RO);
  public static final Field CAP_PTR = bits("CapPtr", 15, 8).as(RO);
  public static final Field CAP_TYPE = bits("CapType", 18, 16).as(RO);
  public static final Field CAP_REV = bits("CapRev", 23, 19).as(RO);

  /** Device IOTLBs: ATS. */
  public static final Field IOTLB_SUP = bit("IotlbSup", 24).as(RO);

  public static final Field HT_TUNNEL = bit("HtTunnel", 25).as(RO);

  /** Entries that are not present may be cached. */
  public static final Field NP_CACHE = bit("NpCache", 26).as(RO);

  public static final Field EFR_SUP = bit("EFRSup", 27).as(RO);
  public static final Field CAP_EXT = bit("CapExt", 28).as(RO);
  public static final Register HEADER =
      Register.of32(
          "Capability Header",
          0x00,
          CAP_ID,
          CAP_PTR,
          CAP_TYPE,
          CAP_REV,
          IOTLB_SUP,
          HT_TUNNEL,
          NP_CACHE,
          EFR_SUP,
          CAP_EXT);

  /** Locks the base address and turns its decoding on. */
  public static final Field ENABLE = bit("Enable", 0).as(RW1S);

  public static final Field BASE_LOW_FIELD = bits("BaseAddress", 31, 14).as(WARL);
  public static final Register BASE_LOW =
      Register.of32("Base Address Low", 0x04, ENABLE, BASE_LOW_FIELD);
  public static final Register BASE_HIGH =
      Register.of32("Base Address High", 0x08, bits("BaseAddress", 31, 0).as(WARL));

  public static final Field UNIT_ID = bits("UnitId", 4, 0).as(RO);
  public static final Field RNG_VALID = bit("RngValid", 7).as(RO);
  public static final Field BUS = bits("BusNumber", 15, 8).as(RO);
  public static final Field FIRST_DEVICE = bits("FirstDevice", 23, 16).as(RO);
  public static final Field LAST_DEVICE = bits("LastDevice", 31, 24).as(RO);
  public static final Register RANGE =
      Register.of32("Range", 0x0c, UNIT_ID, RNG_VALID, BUS, FIRST_DEVICE, LAST_DEVICE);

  public static final Field MSI_NUM = bits("MsiNum", 4, 0).as(RO);
  public static final Field GVA_SIZE = bits("GVAsize", 7, 5).as(RO);
  public static final Field PA_SIZE = bits("PAsize", 14, 8).as(RO);
  public static final Field VA_SIZE = bits("VAsize", 21, 15).as(RO);
  public static final Field HT_ATS_RESV = bit("HtAtsResv", 22).as(RO);
  public static final Field MSI_NUM_PPR = bits("MsiNumPPR", 31, 27).as(RO);
  public static final Register MISC_0 =
      Register.of32(
          "Miscellaneous Information 0",
          0x10,
          MSI_NUM,
          GVA_SIZE,
          PA_SIZE,
          VA_SIZE,
          HT_ATS_RESV,
          MSI_NUM_PPR);

  public static final Field MSI_NUM_GA = bits("MsiNumGA", 4, 0).as(RO);
  public static final Register MISC_1 =
      Register.of32("Miscellaneous Information 1", 0x14, MSI_NUM_GA);

  public static final List<Register> ALL =
      List.of(HEADER, BASE_LOW, BASE_HIGH, RANGE, MISC_0, MISC_1);

  // The MSI capability, with 64-bit addresses. PCI, "MSI Capability Structure".
  /** Capability id of MSI. */
  public static final int MSI = 5;

  public static final Field MSI_CAP_ID = bits("CapId", 7, 0).as(RO);
  public static final Field MSI_CAP_PTR = bits("CapPtr", 15, 8).as(RO);
  public static final Field MSI_64_BIT = bit("64-bit", 23).as(RO);
  public static final Register MSI_HEADER =
      Register.of32(
          "MSI Capability Header", 0x18, MSI_CAP_ID, MSI_CAP_PTR, Registers.MSI_EN, MSI_64_BIT);
  public static final Register MSI_ADDRESS_LOW =
      Register.of32("MSI Address Low", 0x1c, Registers.MSI_ADDRESS);
  public static final Register MSI_ADDRESS_HIGH =
      Register.of32("MSI Address High", 0x20, Registers.MSI_UPPER);
  public static final Register MSI_DATA = Register.of32("MSI Data", 0x24, Registers.MSI_DATA_FIELD);

  private CapabilityBlock() {}
}
