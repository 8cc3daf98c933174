package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/**
 * The two events about virtual IOMMUs, which name a guest and no device.
 *
 * <p>Source: as AMD's Linux driver decodes them ("iommu/amd: Introduce vIOMMU-specific events and
 * event info").
 */
public final class VirtualEventRecord {
  /** Of GUEST_EVENT_FAULT. */
  public static final Field GUEST_ID = bits("GuestID", 47, 32);

  /** Of VIOMMU_HARDWARE_ERROR. */
  public static final Field ERROR_GUEST_ID = bits("GuestID", 15, 0);

  /** Of VIOMMU_HARDWARE_ERROR; what its values mean is not public. */
  public static final Field SOURCE = bits("Src", 17, 16);

  public static final Layout GUEST_EVENT_FAULT =
      Layout.of(
              "GUEST_EVENT_FAULT",
              "48882, Event Logging",
              reserved(26, 0),
              EventRecord.V_NR,
              reserved(28, 28),
              EventRecord.V_EVENT,
              EventRecord.V_PTR,
              EventRecord.V_CMD,
              GUEST_ID,
              EventRecord.FLAGS,
              EventRecord.CODE)
          .then(reserved(63, 0));

  public static final Layout VIOMMU_HARDWARE_ERROR =
      Layout.of(
              "VIOMMU_HARDWARE_ERROR",
              "48882, Event Logging",
              ERROR_GUEST_ID,
              SOURCE,
              reserved(26, 18),
              EventRecord.V_NR,
              reserved(28, 28),
              EventRecord.V_EVENT,
              EventRecord.V_PTR,
              EventRecord.V_CMD,
              reserved(47, 32),
              EventRecord.FLAGS,
              EventRecord.CODE)
          .then(EventRecord.ADDRESS);

  private VirtualEventRecord() {}
}
