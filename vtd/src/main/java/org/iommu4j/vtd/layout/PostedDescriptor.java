package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** Posted interrupt descriptor, 64 bytes, aligned: 256 requests and a notification. §9.11. */
public final class PostedDescriptor {
  /** Bytes of a descriptor. */
  public static final int BYTES = 64;

  /** The word after the four of PIR. */
  public static final int CONTROL_OFFSET = 32;

  // The control word.
  /** Outstanding notification. */
  public static final Field ON = bit("ON", 0);

  /** Suppress notification. */
  public static final Field SN = bit("SN", 1);

  /** Notification vector. */
  public static final Field NV = bits("NV", 23, 16);

  /** Notification destination: all 32 bits with EIME, else {@link #XAPIC_NDST}. */
  public static final Field NDST = bits("NDST", 63, 32);

  public static final Field XAPIC_NDST = bits("NDST", 47, 40);

  public static final Layout LAYOUT =
      Layout.of("posted interrupt descriptor", "VT-d §9.11", bits("PIR 63:0", 63, 0))
          .then(bits("PIR 127:64", 63, 0))
          .then(bits("PIR 191:128", 63, 0))
          .then(bits("PIR 255:192", 63, 0))
          .then(ON, SN, reserved(15, 2), NV, reserved(31, 24), NDST)
          .then(reserved(63, 0))
          .then(reserved(63, 0))
          .then(reserved(63, 0));

  private PostedDescriptor() {}
}
