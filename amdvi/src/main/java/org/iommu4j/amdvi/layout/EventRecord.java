package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/**
 * A record of the event log, 16 bytes; of a guest's page fault the DomainID field holds the PASID.
 * 48882, "Event Logging".
 */
public final class EventRecord {
  /** Bytes of a record. */
  public static final int BYTES = 16;

  // First word.
  public static final Field DEVICE_ID = bits("DeviceID", 15, 0);
  public static final Field PASID_19_16 = bits("PASID 19:16", 19, 16);

  /** Of virtual IOMMUs; what it tells is not public, and no event here has it. */
  public static final Field V_NR = bit("vNR", 27);

  /** The unit's own access to a guest's event log. Inferred from the name. */
  public static final Field V_EVENT = bit("vEvent", 29);

  /** Of virtual IOMMUs; what it tells is not public, and no event here has it. */
  public static final Field V_PTR = bit("vPtr", 30);

  /** The unit's own access for a guest's command buffer. Inferred from the name. */
  public static final Field V_CMD = bit("vCmd", 31);

  public static final Field DOMAIN_OR_PASID = bits("DomainID or PASID 15:0", 47, 32);

  /** The address is a guest-virtual one. */
  public static final Field GN = bit("GN", 48);

  /** Execute permission was missing. */
  public static final Field NX = bit("NX", 49);

  /** User privilege. */
  public static final Field US = bit("US", 50);

  /** An interrupt request. */
  public static final Field I = bit("I", 51);

  /** The translation was present. */
  public static final Field PR = bit("PR", 52);

  /** A write; only valid with PR = 1, TR = 0 and I = 0. */
  public static final Field RW = bit("RW", 53);

  /** A permission was missing. */
  public static final Field PE = bit("PE", 54);

  /** Reserved bits were set. */
  public static final Field RZ = bit("RZ", 55);

  /** A translation request. */
  public static final Field TR = bit("TR", 56);

  /** Of hardware errors: 1 master abort, 2 target abort, 3 data error. */
  public static final Field HW_TYPE = bits("Type", 58, 57);

  /** Of invalid device requests. */
  public static final Field TYPE = bits("Type", 59, 57);

  public static final Field CODE = bits("EventCode", 63, 60);

  // First word of RMP_PAGE_FAULT and RMP_HARDWARE_ERROR.

  /** What the reverse map table has to do with it; hardware was seen to log 0. */
  public static final Field FLAGS_RMP = bits("flags_rmp", 23, 16);

  /** The guest that the device is for; 0: the hypervisor. */
  public static final Field VMG_TAG = bits("VMG tag", 47, 32);

  // Second word.
  public static final Field ADDRESS = bits("Address", 63, 0);

  /** All flags together, as kernels print them. */
  public static final Field FLAGS = bits("flags", 59, 48);

  public static final Layout LAYOUT =
      new Layout(
          "event log entry",
          "48882, Event Logging",
          List.of(
              List.of(
                  DEVICE_ID,
                  PASID_19_16,
                  reserved(26, 20),
                  V_NR,
                  reserved(28, 28),
                  V_EVENT,
                  V_PTR,
                  V_CMD,
                  DOMAIN_OR_PASID,
                  GN,
                  NX,
                  US,
                  I,
                  PR,
                  RW,
                  PE,
                  RZ,
                  TR,
                  TYPE,
                  CODE),
              List.of(ADDRESS)));

  /**
   * The two records about the reverse map table: the address is the guest-physical one, or that of
   * the entry that could not be read. Where the fields are is known from Linux's decoder.
   */
  public static final Layout RMP_LAYOUT =
      new Layout(
          "event log entry, reverse map table",
          "48882, Event Logging",
          List.of(
              List.of(
                  DEVICE_ID,
                  FLAGS_RMP,
                  bits("reserved", 31, 24).as(Field.Kind.RESERVED),
                  VMG_TAG,
                  bits("reserved", 50, 48).as(Field.Kind.RESERVED),
                  I,
                  PR,
                  RW,
                  bits("reserved", 55, 54).as(Field.Kind.RESERVED),
                  TR,
                  HW_TYPE,
                  bits("reserved", 59, 59).as(Field.Kind.RESERVED),
                  CODE),
              List.of(ADDRESS)));

  private EventRecord() {}
}
