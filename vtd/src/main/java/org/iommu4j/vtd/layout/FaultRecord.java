package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.Kind.RO;
import static org.iommu4j.core.bits.Field.Kind.RW1C;

import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;
import org.iommu4j.core.bits.Register;

/** Fault recording registers, FRCD_REG, 16 bytes each, at an offset that CAP.FRO tells. §11.4. */
public final class FaultRecord {
  /** Bytes of a record. */
  public static final int BYTES = 16;

  // Low doubleword.
  /** Fault information: address bits 63:12, or the interrupt index in bits 63:48. */
  public static final Field FI = ro("FI", 63, 12);

  public static final Field INDEX = ro("index", 63, 48);

  // High doubleword.
  public static final Field SID = ro("SID", 15, 0);
  public static final Field T2 = ro("T2", 28, 28);
  public static final Field PRIV = ro("PRIV", 29, 29);
  public static final Field EXE = ro("EXE", 30, 30);
  public static final Field PP = ro("PP", 31, 31);
  public static final Field FR = ro("FR", 39, 32);
  public static final Field PV = ro("PV", 59, 40);
  public static final Field AT = ro("AT", 61, 60);
  public static final Field T1 = ro("T1", 62, 62);
  public static final Field F = Field.bit("F", 63).as(RW1C);

  public static final Layout LAYOUT =
      new Layout(
          "fault recording register",
          "VT-d §11.4",
          List.of(List.of(FI), List.of(SID, T2, PRIV, EXE, PP, FR, PV, AT, T1, F)));

  private FaultRecord() {}

  /** The low doubleword of record {@code n} of a unit with this CAP. */
  public static Register low(long cap, int n) {
    return Register.of64("FRCD" + n + "_REG low", offset(cap, n), FI);
  }

  /** The high doubleword of record {@code n} of a unit with this CAP. */
  public static Register high(long cap, int n) {
    return new Register("FRCD" + n + "_REG high", offset(cap, n) + 8, 8, LAYOUT.words().get(1));
  }

  /** Records of a unit with this CAP. */
  public static int count(long cap) {
    return Capability.NFR.getInt(cap) + 1;
  }

  private static int offset(long cap, int n) {
    return 16 * Capability.FRO.getInt(cap) + BYTES * n;
  }

  private static Field ro(String name, int hi, int lo) {
    return Field.bits(name, hi, lo).as(RO);
  }
}
