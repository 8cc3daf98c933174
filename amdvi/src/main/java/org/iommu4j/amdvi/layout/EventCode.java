package org.iommu4j.amdvi.layout;

import org.jspecify.annotations.Nullable;

/** The EventCode field of an event log entry. 48882, "Event Logging". */
public enum EventCode {
  ILLEGAL_DEV_TABLE_ENTRY(1),
  IO_PAGE_FAULT(2),
  DEV_TAB_HARDWARE_ERROR(3),
  PAGE_TAB_HARDWARE_ERROR(4),
  ILLEGAL_COMMAND_ERROR(5),
  COMMAND_HARDWARE_ERROR(6),
  IOTLB_INV_TIMEOUT(7),
  INVALID_DEVICE_REQUEST(8),
  INVALID_PPR_REQUEST(9),
  EVENT_COUNTER_ZERO(10),
  GUEST_EVENT_FAULT(11),
  VIOMMU_HARDWARE_ERROR(12),
  RMP_PAGE_FAULT(13),
  RMP_HARDWARE_ERROR(14);

  private static final EventCode[] ALL = values();

  private final int code;

  EventCode(int code) {
    this.code = code;
  }

  /** The specification's code, 1..14. */
  public int code() {
    return code;
  }

  /** The event of that code, or null. */
  public static @Nullable EventCode of(int code) {
    return code >= 1 && code <= ALL.length ? ALL[code - 1] : null;
  }
}
