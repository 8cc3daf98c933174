package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** An entry of the guest virtual APIC log, 8 bytes. 48882, "Guest Virtual APIC Log". */
public final class GaLogRecord {
  /** Bytes of an entry. */
  public static final int BYTES = 8;

  /** The guest was not running. */
  public static final int GUEST_NOT_RUNNING = 1;

  public static final Field GA_TAG = bits("GATag", 31, 0);
  public static final Field DEVICE_ID = bits("DeviceID", 47, 32);
  public static final Field CODE = bits("GACode", 63, 60);

  public static final Layout LAYOUT =
      Layout.of(
          "guest virtual APIC log entry",
          "48882, Guest Virtual APIC Log",
          GA_TAG,
          DEVICE_ID,
          reserved(59, 48),
          CODE);

  private GaLogRecord() {}
}
