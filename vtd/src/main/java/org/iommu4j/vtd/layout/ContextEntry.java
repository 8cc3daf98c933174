package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** Context entry of legacy mode, 16 bytes, one for each function of a bus. §9.3. */
public final class ContextEntry {
  /** Bytes of an entry. */
  public static final int BYTES = 16;

  public static final Field P = bit("P", 0);

  /** Fault processing disable. */
  public static final Field FPD = bit("FPD", 1);

  /** Translation type: {@link #TT_UNTRANSLATED}, {@link #TT_ATS}, {@link #TT_PASS_THROUGH}. */
  public static final Field TT =
      bits("TT", 3, 2)
          .means(0, "untranslated requests")
          .means(1, "and ATS")
          .means(2, "pass-through");

  public static final Field SSPTPTR = bits("SSPTPTR", 63, 12);

  /** Address width, in the second word: 1 39-bit, 2 48-bit, 3 57-bit. */
  public static final Field AW =
      bits("AW", 2, 0).means(1, "39 bits").means(2, "48 bits").means(3, "57 bits");

  public static final Field AVAIL = bits("IGN", 6, 3).as(IGNORED);
  public static final Field DID = bits("DID", 23, 8);

  public static final int TT_UNTRANSLATED = 0;
  public static final int TT_ATS = 1;
  public static final int TT_PASS_THROUGH = 2;

  public static final Layout LAYOUT =
      Layout.of("context entry", "VT-d §9.3", P, FPD, TT, reserved(11, 4), SSPTPTR)
          .then(AW, AVAIL, reserved(7, 7), DID, reserved(63, 24));

  private ContextEntry() {}
}
