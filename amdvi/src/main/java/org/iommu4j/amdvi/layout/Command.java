package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;
import org.jspecify.annotations.Nullable;

/** Commands, 16 bytes. 48882, "Commands". */
public final class Command {
  /** Bytes of a command. */
  public static final int BYTES = 16;

  public static final int COMPLETION_WAIT = 1;
  public static final int INVALIDATE_DEVTAB_ENTRY = 2;
  public static final int INVALIDATE_IOMMU_PAGES = 3;
  public static final int INVALIDATE_IOTLB_PAGES = 4;
  public static final int INVALIDATE_INTERRUPT_TABLE = 5;
  public static final int PREFETCH_IOMMU_PAGES = 6;
  public static final int COMPLETE_PPR_REQUEST = 7;
  public static final int INVALIDATE_IOMMU_ALL = 8;
  public static final int INSERT_GUEST_EVENT = 9;
  public static final int RESET_VMMIO = 10;

  public static final Field OPCODE = bits("opcode", 63, 60);

  // COMPLETION_WAIT
  /** Store. */
  public static final Field S_STORE = bit("s", 0);

  /** Interrupt. */
  public static final Field I = bit("i", 1);

  /** Flush: following commands wait. */
  public static final Field F = bit("f", 2);

  public static final Field STORE_ADDRESS = bits("store address", 51, 3);
  public static final Field STORE_DATA = bits("store data", 63, 0);

  // Shared
  public static final Field DEVICE_ID = bits("DeviceID", 15, 0);
  public static final Field PASID = bits("PASID", 19, 0);
  public static final Field DOMAIN_ID = bits("DomainID", 47, 32);

  // Second word
  /** Size: the lowest 0 bit of the address tells; without, one page of 4 KiB. */
  public static final Field S = bit("S", 0);

  /** Entries that point to tables, too. */
  public static final Field PDE = bit("PDE", 1);

  /** Guest: the address is a guest-virtual one of the PASID. */
  public static final Field GN = bit("GN", 2);

  public static final Field ADDRESS = bits("Address", 63, 12);

  // INVALIDATE_IOTLB_PAGES
  public static final Field PASID_15_8 = bits("PASID 15:8", 23, 16);
  public static final Field MAX_PEND = bits("MaxPend", 31, 24);
  public static final Field QUEUE_ID = bits("QueueID", 47, 32);
  public static final Field PASID_7_0 = bits("PASID 7:0", 55, 48);
  public static final Field PASID_19_16 = bits("PASID 19:16", 59, 56);
  public static final Field TYPE = bits("Type", 5, 4);

  // PREFETCH_IOMMU_PAGES
  public static final Field PF_COUNT = bits("PFCount", 31, 24);
  public static final Field PREFETCH_PASID = bits("PASID", 51, 32);
  public static final Field INVAL = bit("Inval", 4);

  // COMPLETE_PPR_REQUEST
  public static final Field PPR_PASID = bits("PASID", 51, 32);
  public static final Field PPR_TAG = bits("PPR tag", 40, 32);
  public static final Field PPR_CODE = bits("response code", 47, 44);

  // vIOMMU
  public static final Field GUEST_ID = bits("GuestID", 47, 32);
  public static final Field RESET_GUEST_ID = bits("GuestID", 15, 0);

  /**
   * All registers of the guest. Sources differ: FreeBSD's header has bit 27, AMD's Linux driver
   * sets bit 28 and wants the same. Choice: either one means it.
   */
  public static final Field RESET_ALL = bits("all", 28, 27);

  /** The guest's command buffer. */
  public static final Field RESET_VCMD = bit("vcmd", 31);

  /** The address of everything: without the size's 0 bit, or with it at the top. */
  public static final long ALL_PAGES = 0x7fff_ffff_ffff_f000L;

  public static final Layout COMPLETION_WAIT_LAYOUT =
      layout("COMPLETION_WAIT", S_STORE, I, F, STORE_ADDRESS, reserved(59, 52), OPCODE)
          .then(STORE_DATA);

  public static final Layout INVALIDATE_DEVTAB_ENTRY_LAYOUT =
      layout("INVALIDATE_DEVTAB_ENTRY", DEVICE_ID, reserved(59, 16), OPCODE).then(reserved(63, 0));

  public static final Layout INVALIDATE_IOMMU_PAGES_LAYOUT =
      layout("INVALIDATE_IOMMU_PAGES", PASID, reserved(31, 20), DOMAIN_ID, reserved(59, 48), OPCODE)
          .then(S, PDE, GN, reserved(11, 3), ADDRESS);

  public static final Layout INVALIDATE_IOTLB_PAGES_LAYOUT =
      layout(
              "INVALIDATE_IOTLB_PAGES",
              DEVICE_ID,
              PASID_15_8,
              MAX_PEND,
              QUEUE_ID,
              PASID_7_0,
              PASID_19_16,
              OPCODE)
          .then(S, reserved(1, 1), GN, reserved(3, 3), TYPE, reserved(11, 6), ADDRESS);

  public static final Layout INVALIDATE_INTERRUPT_TABLE_LAYOUT =
      layout("INVALIDATE_INTERRUPT_TABLE", DEVICE_ID, reserved(59, 16), OPCODE)
          .then(reserved(63, 0));

  public static final Layout PREFETCH_IOMMU_PAGES_LAYOUT =
      layout(
              "PREFETCH_IOMMU_PAGES",
              DEVICE_ID,
              reserved(23, 16),
              PF_COUNT,
              PREFETCH_PASID,
              reserved(59, 52),
              OPCODE)
          .then(S, reserved(1, 1), GN, reserved(3, 3), INVAL, reserved(11, 5), ADDRESS);

  public static final Layout COMPLETE_PPR_REQUEST_LAYOUT =
      layout(
              "COMPLETE_PPR_REQUEST",
              DEVICE_ID,
              reserved(31, 16),
              PPR_PASID,
              reserved(59, 52),
              OPCODE)
          .then(
              reserved(1, 0),
              GN,
              reserved(31, 3),
              PPR_TAG,
              reserved(43, 41),
              PPR_CODE,
              reserved(63, 48));

  public static final Layout INVALIDATE_IOMMU_ALL_LAYOUT =
      layout("INVALIDATE_IOMMU_ALL", reserved(59, 0), OPCODE).then(reserved(63, 0));

  /** With vIOMMUSup. */
  public static final Layout INSERT_GUEST_EVENT_LAYOUT =
      layout("INSERT_GUEST_EVENT", reserved(31, 0), GUEST_ID, reserved(59, 48), OPCODE)
          .then(reserved(63, 0));

  /** With vIOMMUSup. */
  public static final Layout RESET_VMMIO_LAYOUT =
      layout(
              "RESET_VMMIO",
              RESET_GUEST_ID,
              reserved(26, 16),
              RESET_ALL,
              reserved(30, 29),
              RESET_VCMD,
              reserved(59, 32),
              OPCODE)
          .then(reserved(63, 0));

  private static final @Nullable Layout[] BY_OPCODE = {
    null,
    COMPLETION_WAIT_LAYOUT,
    INVALIDATE_DEVTAB_ENTRY_LAYOUT,
    INVALIDATE_IOMMU_PAGES_LAYOUT,
    INVALIDATE_IOTLB_PAGES_LAYOUT,
    INVALIDATE_INTERRUPT_TABLE_LAYOUT,
    PREFETCH_IOMMU_PAGES_LAYOUT,
    COMPLETE_PPR_REQUEST_LAYOUT,
    INVALIDATE_IOMMU_ALL_LAYOUT,
    INSERT_GUEST_EVENT_LAYOUT,
    RESET_VMMIO_LAYOUT
  };

  private Command() {}

  /** How to decode an opcode; null if the model has no such command. */
  public static @Nullable Layout layout(int opcode) {
    return opcode >= 0 && opcode < BY_OPCODE.length ? BY_OPCODE[opcode] : null;
  }

  /** The PASID of an INVALIDATE_IOTLB_PAGES, which lies in three pieces. */
  public static int iotlbPasid(long first) {
    return PASID_19_16.getInt(first) << 16
        | PASID_15_8.getInt(first) << 8
        | PASID_7_0.getInt(first);
  }

  private static Layout layout(String name, Field... fields) {
    return Layout.of(name, "48882, Commands", fields);
  }
}
