package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/**
 * The IOMMU private address space: where a unit keeps what it knows of its guests. The host tables
 * of the device table entry of the unit's own DeviceID map it to memory.
 *
 * <p>Source: as AMD's Linux driver lays it out ("iommu/amd: Initialize vIOMMU private address space
 * regions"), which refers to 48882 revision 3.07, figures 79 and 80. What the unit keeps in the
 * first two regions, guest MMIO at 0h and the dirty status of command buffers at 40_0000h, is not
 * public.
 */
public final class PrivateSpace {
  /** Tables of a guest, one after the other by GuestID. */
  public static final long DEVICE_MAP = 0x10_0000_0000L;

  /** Bytes of a guest's table: 65,536 entries of 16. */
  public static final int DEVICE_MAP_SHIFT = 20;

  public static final int DEVICE_MAP_ENTRY_BYTES = 16;

  public static final long DOMAIN_MAP = 0x20_0000_0000L;

  /** 65,536 entries of 8. */
  public static final int DOMAIN_MAP_SHIFT = 19;

  public static final int DOMAIN_MAP_ENTRY_BYTES = 8;

  // Rings with Control.GstBufferTRPMode = 0: 2^15 entries of 16 bytes for each guest.
  public static final long COMMANDS = 0x28_0000_0000L;
  public static final long PPR_LOG = 0x30_0000_0000L;
  public static final long PPR_LOG_B = 0x38_0000_0000L;
  public static final long EVENT_LOG = 0x40_0000_0000L;
  public static final long EVENT_LOG_B = 0x48_0000_0000L;
  public static final int RING_SHIFT = 19;

  /** Inferred: as in the register that writes the entry. */
  public static final Field VALID = bit("Valid", 0);

  /**
   * The host's id. Of the device table as AMD's Linux driver reads it; inferred for the domain
   * table.
   */
  public static final Field HOST_ID = bits("host id", 39, 24);

  /** The first word of an entry of either table; of the second nothing is public. */
  public static final Layout ENTRY =
      Layout.of(
          "mapping table entry", "AMD's Linux driver, drivers/iommu/amd/viommu.c", VALID, HOST_ID);

  // Extended interrupt remapping: the table of the unit's own device table entry has two levels.
  public static final int INTERRUPT_EVENT = 0;
  public static final int INTERRUPT_PPR = 1;

  /** Bits of the index of a guest's interrupt: which, and the GuestID. */
  public static final Field INTERRUPT_TYPE = bits("type", 17, 16);

  public static final Field INTERRUPT_GUEST = bits("GuestID", 15, 0);
  public static final Field FIRST_INDEX = bits("first index", 17, 8);
  public static final Field SECOND_INDEX = bits("second index", 7, 0);

  public static final Field SECOND_VALID = bit("Valid", 0);
  public static final Field SECOND_LEN = bits("Len", 5, 2);
  public static final Field SECOND_TABLE = bits("second table", 51, 6);

  /** An entry of the first level, 8 bytes; the second has 128-bit interrupt remapping entries. */
  public static final Layout FIRST_ENTRY =
      Layout.of(
          "extended interrupt table entry",
          "AMD's Linux driver, drivers/iommu/amd/viommu.c",
          SECOND_VALID,
          SECOND_LEN,
          SECOND_TABLE);

  private PrivateSpace() {}

  /** The address of a guest's entry for a DeviceID. */
  public static long deviceEntry(int guest, int deviceId) {
    return DEVICE_MAP
        + ((long) guest << DEVICE_MAP_SHIFT)
        + (long) deviceId * DEVICE_MAP_ENTRY_BYTES;
  }

  /** The address of a guest's entry for a DomainID. */
  public static long domainEntry(int guest, int domainId) {
    return DOMAIN_MAP
        + ((long) guest << DOMAIN_MAP_SHIFT)
        + (long) domainId * DOMAIN_MAP_ENTRY_BYTES;
  }
}
