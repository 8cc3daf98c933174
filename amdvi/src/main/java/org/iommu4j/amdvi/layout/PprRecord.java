package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** An entry of the PPR log, 16 bytes. 48882, "Peripheral Page Request Logging". */
public final class PprRecord {
  /** Bytes of an entry. */
  public static final int BYTES = 16;

  /** The only code there is: PAGE_SERVICE_REQUEST. */
  public static final int PAGE_SERVICE_REQUEST = 1;

  public static final Field DEVICE_ID = bits("DeviceID", 15, 0);
  public static final Field PASID_15_0 = bits("PASID 15:0", 31, 16);

  /** Page request group index; bit 9 is set in the last request of a group. */
  public static final Field TAG = bits("PPR tag", 41, 32);

  public static final Field GROUP = bits("group", 40, 32);
  public static final Field LAST = bit("last", 41);
  public static final Field PASID_19_16 = bits("PASID 19:16", 45, 42);

  /** Execute requested. */
  public static final Field EX = bit("EX", 49);

  /** Read requested. */
  public static final Field R = bit("R", 50);

  /** Write requested. */
  public static final Field W = bit("W", 53);

  /** User. */
  public static final Field US = bit("US", 54);

  /** Reserved bits of the request are set. */
  public static final Field RZ = bit("RZ", 55);

  /** The address is a guest-virtual one, the PASID is valid. */
  public static final Field GN = bit("GN", 56);

  public static final Field CODE = bits("PPRCode", 63, 60);

  // Second word.
  public static final Field ADDRESS = bits("Address", 63, 12);

  public static final Layout LAYOUT =
      Layout.of(
              "PPR log entry",
              "48882, Peripheral Page Request Logging",
              DEVICE_ID,
              PASID_15_0,
              GROUP,
              LAST,
              PASID_19_16,
              reserved(48, 46),
              EX,
              R,
              reserved(52, 51),
              W,
              US,
              RZ,
              GN,
              reserved(59, 57),
              CODE)
          .then(reserved(11, 0), ADDRESS);

  private PprRecord() {}
}
