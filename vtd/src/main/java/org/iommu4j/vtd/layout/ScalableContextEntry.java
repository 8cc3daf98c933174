package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** Context entry of scalable mode, 32 bytes, one for each function of half a bus. §9.4. */
public final class ScalableContextEntry {
  /** Bytes of an entry. */
  public static final int BYTES = 32;

  public static final Field P = bit("P", 0);

  /** Fault processing disable. */
  public static final Field FPD = bit("FPD", 1);

  /** Device-TLB enable. */
  public static final Field DTE = bit("DTE", 2);

  /** PASID enable. */
  public static final Field PASIDE = bit("PASIDE", 3);

  /** Page request enable. */
  public static final Field PRE = bit("PRE", 4);

  /** Host permission table enable. */
  public static final Field HPTE = bit("HPTE", 5);

  /** Enable translated requests with PASID. */
  public static final Field EPTR = bit("EPTR", 6);

  /** The PASID directory has 2^(PDTS + 7) entries. */
  public static final Field PDTS = bits("PDTS", 11, 9);

  public static final Field PASIDDIRPTR = bits("PASIDDIRPTR", 63, 12);

  // Second word.
  public static final Field RID_PASID = bits("RID_PASID", 19, 0);
  public static final Field RID_PRIV = bit("RID_PRIV", 20);

  public static final Layout LAYOUT =
      Layout.of(
              "scalable-mode context entry",
              "VT-d §9.4",
              P,
              FPD,
              DTE,
              PASIDE,
              PRE,
              HPTE,
              EPTR,
              reserved(8, 7),
              PDTS,
              PASIDDIRPTR)
          .then(RID_PASID, RID_PRIV, reserved(63, 21))
          .then(reserved(63, 0))
          .then(reserved(63, 0));

  private ScalableContextEntry() {}
}
