package org.iommu4j.riscv.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** A record of the fault queue, 32 bytes. §4.2. */
public final class FaultRecord {
  /** Bytes of a record. */
  public static final int BYTES = 32;

  public static final Field CAUSE = bits("CAUSE", 11, 0);
  public static final Field PID = bits("PID", 31, 12);
  public static final Field PV = bit("PV", 32);
  public static final Field PRIV = bit("PRIV", 33);
  public static final Field TTYP = bits("TTYP", 39, 34);
  public static final Field DID = bits("DID", 63, 40);

  /** In iotval2 of a guest-page fault: the access was implicit. */
  public static final Field IMPLICIT = bit("implicit", 0);

  /** In iotval2 of a guest-page fault: the implicit access was a write (A/D update). */
  public static final Field IMPLICIT_WRITE = bit("implicit write", 1);

  public static final Layout LAYOUT =
      Layout.of("fault record", "RISC-V IOMMU §4.2", CAUSE, PID, PV, PRIV, TTYP, DID)
          .then(bits("custom", 31, 0).as(IGNORED), reserved(63, 32))
          .then(bits("iotval", 63, 0))
          .then(bits("iotval2", 63, 0));

  private FaultRecord() {}
}
