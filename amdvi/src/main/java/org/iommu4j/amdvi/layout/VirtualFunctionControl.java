package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;

import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/**
 * The registers of a guest's IOMMU that belong to the hypervisor: 64 bytes for each GuestID in the
 * VF Control MMIO aperture. What the guest writes to its Control register and to the base registers
 * of its rings traps, and the hypervisor puts it here.
 *
 * <p>Source: as AMD's Linux driver programs them ("iommu/amd: Introduce support for HW accelerated
 * vIOMMU"); the names follow the registers of the ordinary page that the fields come from.
 */
public final class VirtualFunctionControl {
  /** Bytes of a guest's registers. */
  public static final int BYTES = 0x40;

  /** Bytes of the aperture: 4 MiB. */
  public static final long APERTURE_BYTES = (long) VirtualFunction.GUESTS * BYTES;

  // DID Map Control 0 and 1: each write changes one entry of a mapping table.
  public static final Field VALID = bit("Valid", 0);
  public static final Field HOST_ID = bits("host id", 29, 14);
  public static final Field GUEST_ID = bits("guest id", 61, 46);

  /** The entry is written. Inferred: without, nothing happens. */
  public static final Field WRITE = bit("Write", 63);

  /** DeviceIDs. */
  public static final Register DEVICE_MAP =
      Register.of64("Guest DID Map Control 0", 0x00, VALID, HOST_ID, GUEST_ID, WRITE);

  /** DomainIDs. */
  public static final Register DOMAIN_MAP =
      Register.of64("Guest DID Map Control 1", 0x08, VALID, HOST_ID, GUEST_ID, WRITE);

  /** Whose host tables translate the addresses that the guest gives to its IOMMU. */
  public static final Field TRANSLATE_DEVICE_ID = bits("TranslateDevID", 31, 16);

  public static final Register MISC_CONTROL =
      Register.of64("Guest Misc Control", 0x10, TRANSLATE_DEVICE_ID);

  // Rings: 2^Len entries at a guest-physical address.
  public static final Field BASE = bits("Base", 51, 12);
  public static final Field LEN = bits("Len", 3, 0);
  public static final Field LEN_B = bits("LenB", 7, 4);

  public static final Register EVENT_B_CONTROL =
      Register.of64("Guest Event Log B Control", 0x18, BASE);

  public static final Field CMD_BUF_EN = bit("CmdBufEn", 8);
  public static final Field COM_WAIT_INT_EN = bit("ComWaitIntEn", 9);
  public static final Register COMMAND_CONTROL =
      Register.of64("Guest Command Control", 0x20, LEN, CMD_BUF_EN, COM_WAIT_INT_EN, BASE);

  public static final Field EVENT_LOG_EN = bit("EventLogEn", 8);
  public static final Field EVENT_INT_EN = bit("EventIntEn", 9);

  /** As {@link Control#DUAL_EVENT_LOG_EN}. */
  public static final Field DUAL_EVENT_LOG_EN = bits("DualEventLogEn", 11, 10);

  public static final Register EVENT_CONTROL =
      Register.of64(
          "Guest Event Control",
          0x28,
          LEN,
          LEN_B,
          EVENT_LOG_EN,
          EVENT_INT_EN,
          DUAL_EVENT_LOG_EN,
          BASE);

  public static final Field PPR_LOG_EN = bit("PPRLogEn", 8);
  public static final Field PPR_INT_EN = bit("PPRIntEn", 9);
  public static final Field PPR_EN = bit("PPREn", 10);

  /** As {@link Control#DUAL_PPR_LOG_EN}. */
  public static final Field DUAL_PPR_LOG_EN = bits("DualPprLogEn", 12, 11);

  public static final Field PPR_AUTO_RSP_EN = bit("PprAutoRspEn", 13);
  public static final Field BLK_STOP_MRK_EN = bit("BlkStopMrkEn", 14);
  public static final Field PPR_AUTO_RSP_AON = bit("PprAutoRspAon", 15);

  /** Bits 51:12 of the address: four bits higher than elsewhere. */
  public static final Field PPR_BASE = bits("Base 51:12", 55, 16);

  public static final Register PPR_CONTROL =
      Register.of64(
          "Guest PPR Control",
          0x30,
          LEN,
          LEN_B,
          PPR_LOG_EN,
          PPR_INT_EN,
          PPR_EN,
          DUAL_PPR_LOG_EN,
          PPR_AUTO_RSP_EN,
          BLK_STOP_MRK_EN,
          PPR_AUTO_RSP_AON,
          PPR_BASE);

  public static final Register PPR_B_CONTROL = Register.of64("Guest PPR Log B Control", 0x38, BASE);

  /** In the order of their offsets. */
  public static final List<Register> ALL =
      List.of(
          DEVICE_MAP,
          DOMAIN_MAP,
          MISC_CONTROL,
          EVENT_B_CONTROL,
          COMMAND_CONTROL,
          EVENT_CONTROL,
          PPR_CONTROL,
          PPR_B_CONTROL);

  private VirtualFunctionControl() {}
}
