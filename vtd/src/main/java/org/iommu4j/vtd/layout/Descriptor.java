package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;
import org.jspecify.annotations.Nullable;

/**
 * Descriptors of the invalidation queue, 16 bytes, or 32 with IQA_REG.DW = 1: then the upper half
 * is reserved. §6.5.2.
 */
public final class Descriptor {
  public static final int CONTEXT_CACHE = 1;
  public static final int IOTLB = 2;
  public static final int DEVICE_TLB = 3;
  public static final int INTERRUPT_ENTRY_CACHE = 4;
  public static final int WAIT = 5;
  public static final int PASID_IOTLB = 6;
  public static final int PASID_CACHE = 7;
  public static final int PASID_DEVICE_TLB = 8;
  public static final int PAGE_GROUP_RESPONSE = 9;
  public static final int HOST_PERMISSION_TABLE = 10;

  // All types, word 0.
  public static final Field TYPE_LOW = bits("type", 3, 0);
  public static final Field TYPE_HIGH = bits("type high", 11, 9);

  // Shared by several types, word 0.
  /** Granularity; of IEC only the lower bit. */
  public static final Field G = bits("G", 5, 4);

  public static final Field DID = bits("DID", 31, 16);

  /** Source id of a context-cache or device-TLB descriptor. */
  public static final Field SID = bits("SID", 47, 32);

  public static final Field PASID = bits("PASID", 51, 32);

  // Shared by several types, word 1.
  /** Address mask: the low AM bits of the page number are ignored. */
  public static final Field AM = bits("AM", 5, 0);

  /** Invalidation hint: only leaves have changed. */
  public static final Field IH = bit("IH", 6);

  public static final Field ADDR = bits("ADDR", 63, 12);

  // Context cache.
  /** Function mask: 0 none, 1 bit 2, 2 bits 2:1, 3 bits 2:0 of SID are ignored. */
  public static final Field FM = bits("FM", 49, 48);

  // IOTLB.
  /** Drain writes. */
  public static final Field DRAIN_WRITES = bit("DW", 6);

  /** Drain reads. */
  public static final Field DRAIN_READS = bit("DR", 7);

  // Device-TLB.
  public static final Field PFSID_LOW = bits("PFSID 3:0", 15, 12);
  public static final Field PFSID_HIGH = bits("PFSID 15:4", 63, 52);

  /** Maximum invalidations pending; 0 is 32. */
  public static final Field MIP = bits("MIP", 20, 16);

  /** Size: 0 one page, 1 the ones in ADDR tell. */
  public static final Field S = bit("S", 0);

  // Interrupt entry cache.
  public static final Field INDEX_SELECTIVE = bit("G", 4);

  /** Index mask: the low IM bits of IIDX are ignored. */
  public static final Field IM = bits("IM", 31, 27);

  public static final Field IIDX = bits("IIDX", 47, 32);

  // Wait.
  /** Interrupt flag: set ICS_REG.IWC. */
  public static final Field IF = bit("IF", 4);

  /** Status write. */
  public static final Field SW = bit("SW", 5);

  /** Fence: what follows begins when this is complete. */
  public static final Field FN = bit("FN", 6);

  /** Page-request drain. */
  public static final Field PD = bit("PD", 7);

  public static final Field STDATA = bits("STDATA", 63, 32);
  public static final Field STADDR = bits("STADDR", 63, 2);

  // PASID-based device-TLB.
  public static final Field PASID_MIP = bits("MIP", 8, 4);
  public static final Field PASID_SID = bits("SID", 31, 16);

  /** Global invalidate: all PASIDs. Word 1. */
  public static final Field GI = bit("GI", 0);

  public static final Field PASID_S = bit("S", 11);

  // Page group response.
  /** PASID present. */
  public static final Field PP = bit("PP", 4);

  /** Response code: 0 success, 1 invalid request, 15 failure. */
  public static final Field RC = bits("RC", 15, 12);

  public static final Field RID = bits("RID", 31, 16);

  /** Page request group index. Word 1. */
  public static final Field PRGI = bits("PRGI", 11, 3);

  // Host permission table.
  public static final Field HPTDID = bits("HPTDID", 31, 16);
  public static final Field LEVEL = bits("IH", 7, 6);

  /** Granularities of PASID-based IOTLB descriptors. */
  public static final int PASID_SELECTIVE = 2;

  public static final int PAGE_IN_PASID = 3;

  /** Granularities of PASID-cache descriptors. */
  public static final int PC_DOMAIN = 0;

  public static final int PC_PASID = 1;
  public static final int PC_GLOBAL = 3;

  public static final Layout CONTEXT_CACHE_LAYOUT =
      layout(
              "context-cache invalidate descriptor",
              TYPE_LOW,
              G,
              reserved(15, 6),
              DID,
              SID,
              FM,
              reserved(63, 50))
          .then(reserved(63, 0));

  public static final Layout IOTLB_LAYOUT =
      layout(
              "IOTLB invalidate descriptor",
              TYPE_LOW,
              G,
              DRAIN_WRITES,
              DRAIN_READS,
              reserved(15, 8),
              DID,
              reserved(63, 32))
          .then(AM, IH, reserved(11, 7), ADDR);

  public static final Layout DEVICE_TLB_LAYOUT =
      layout(
              "device-TLB invalidate descriptor",
              TYPE_LOW,
              reserved(11, 4),
              PFSID_LOW,
              MIP,
              reserved(31, 21),
              SID,
              reserved(51, 48),
              PFSID_HIGH)
          .then(S, reserved(11, 1), ADDR);

  public static final Layout INTERRUPT_ENTRY_CACHE_LAYOUT =
      layout(
              "interrupt entry cache invalidate descriptor",
              TYPE_LOW,
              INDEX_SELECTIVE,
              reserved(26, 5),
              IM,
              IIDX,
              reserved(63, 48))
          .then(reserved(63, 0));

  public static final Layout WAIT_LAYOUT =
      layout("invalidation wait descriptor", TYPE_LOW, IF, SW, FN, PD, reserved(31, 8), STDATA)
          .then(reserved(1, 0), STADDR);

  public static final Layout PASID_IOTLB_LAYOUT =
      layout(
              "PASID-based IOTLB invalidate descriptor",
              TYPE_LOW,
              G,
              reserved(15, 6),
              DID,
              PASID,
              reserved(63, 52))
          .then(AM, IH, reserved(11, 7), ADDR);

  public static final Layout PASID_CACHE_LAYOUT =
      layout(
              "PASID-cache invalidate descriptor",
              TYPE_LOW,
              G,
              reserved(15, 6),
              DID,
              PASID,
              reserved(63, 52))
          .then(reserved(63, 0));

  public static final Layout PASID_DEVICE_TLB_LAYOUT =
      layout(
              "PASID-based device-TLB invalidate descriptor",
              TYPE_LOW,
              PASID_MIP,
              reserved(11, 9),
              PFSID_LOW,
              PASID_SID,
              PASID,
              PFSID_HIGH)
          .then(GI, reserved(10, 1), PASID_S, ADDR);

  public static final Layout PAGE_GROUP_RESPONSE_LAYOUT =
      layout(
              "page group response descriptor",
              TYPE_LOW,
              PP,
              reserved(11, 5),
              RC,
              RID,
              PASID,
              reserved(63, 52))
          .then(reserved(1, 0), bit("IGN", 2).as(IGNORED), PRGI, reserved(63, 12));

  public static final Layout HOST_PERMISSION_TABLE_LAYOUT =
      layout(
              "host permission table invalidate descriptor",
              TYPE_LOW,
              G,
              reserved(15, 6),
              HPTDID,
              reserved(63, 32))
          .then(AM, LEVEL, reserved(11, 8), ADDR);

  private static final @Nullable Layout[] BY_TYPE = {
    null,
    CONTEXT_CACHE_LAYOUT,
    IOTLB_LAYOUT,
    DEVICE_TLB_LAYOUT,
    INTERRUPT_ENTRY_CACHE_LAYOUT,
    WAIT_LAYOUT,
    PASID_IOTLB_LAYOUT,
    PASID_CACHE_LAYOUT,
    PASID_DEVICE_TLB_LAYOUT,
    PAGE_GROUP_RESPONSE_LAYOUT,
    HOST_PERMISSION_TABLE_LAYOUT
  };

  private Descriptor() {}

  /** The type of a descriptor, from its first word. */
  public static int type(long first) {
    return TYPE_HIGH.getInt(first) << 4 | TYPE_LOW.getInt(first);
  }

  /** How to decode a type; null if there is no such type. */
  public static @Nullable Layout layout(int type) {
    return type >= 0 && type < BY_TYPE.length ? BY_TYPE[type] : null;
  }

  private static Layout layout(String name, Field... fields) {
    return Layout.of(name, "VT-d §6.5.2", fields);
  }
}
