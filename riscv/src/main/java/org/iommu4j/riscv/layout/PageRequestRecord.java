package org.iommu4j.riscv.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** A record of the page-request queue, 16 bytes. §4.3. */
public final class PageRequestRecord {
  /** Bytes of a record. */
  public static final int BYTES = 16;

  public static final Field PID = bits("PID", 31, 12);
  public static final Field PV = bit("PV", 32);
  public static final Field PRIV = bit("PRIV", 33);
  public static final Field EXEC = bit("EXEC", 34);
  public static final Field DID = bits("DID", 63, 40);

  // Payload, as in the PCIe message
  public static final Field R = bit("R", 0);
  public static final Field W = bit("W", 1);
  public static final Field L = bit("L", 2);
  public static final Field PRGI = bits("PRGI", 11, 3);
  public static final Field ADDRESS = bits("page address", 63, 12);

  public static final Layout LAYOUT =
      Layout.of(
              "page request record",
              "RISC-V IOMMU §4.3",
              reserved(11, 0),
              PID,
              PV,
              PRIV,
              EXEC,
              reserved(39, 35),
              DID)
          .then(R, W, L, PRGI, ADDRESS);

  private PageRequestRecord() {}
}
