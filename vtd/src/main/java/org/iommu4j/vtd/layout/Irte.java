package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** Interrupt remapping table entry, 16 bytes: remapped format, or posted format if IM. §9.9. */
public final class Irte {
  /** Bytes of an entry. */
  public static final int BYTES = 16;

  // Both formats, first word.
  public static final Field P = bit("P", 0);

  /** Fault processing disable. */
  public static final Field FPD = bit("FPD", 1);

  public static final Field AVAIL = bits("AVAIL", 11, 8).as(IGNORED);

  /** Interrupt mode: 0 remapped, 1 posted. */
  public static final Field IM = bit("IM", 15).means(0, "remapped").means(1, "posted");

  // Remapped format.
  /** Destination mode: 0 physical, 1 logical. */
  public static final Field DM = bit("DM", 2).means(0, "physical").means(1, "logical");

  /** Redirection hint. */
  public static final Field RH = bit("RH", 3);

  /** Trigger mode: 0 edge, 1 level. */
  public static final Field TM = bit("TM", 4).means(0, "edge").means(1, "level");

  /** Delivery mode. */
  public static final Field DLM =
      bits("DLM", 7, 5)
          .means(0, "fixed")
          .means(1, "lowest priority")
          .means(2, "SMI")
          .means(4, "NMI")
          .means(5, "INIT")
          .means(7, "ExtINT");

  /** Vector. */
  public static final Field V = bits("V", 23, 16);

  /** Destination: all 32 bits with IRTA_REG.EIME, else {@link #XAPIC_DST}. */
  public static final Field DST = bits("DST", 63, 32);

  public static final Field XAPIC_DST = bits("DST", 47, 40);

  // Posted format.
  /** Urgent. */
  public static final Field URG = bit("URG", 14);

  /** Virtual vector. */
  public static final Field VV = bits("VV", 23, 16);

  /** Posted descriptor address, bits 31:6. */
  public static final Field PDAL = bits("PDAL", 63, 38);

  // Second word.
  /** Source id to verify. */
  public static final Field SID = bits("SID", 15, 0);

  /** Source-id qualifier: which bits of SID are ignored. */
  public static final Field SQ = bits("SQ", 17, 16);

  /** Source validation type: 0 none, 1 SID under SQ, 2 bus range. */
  public static final Field SVT =
      bits("SVT", 19, 18).means(0, "not verified").means(1, "SID").means(2, "bus range");

  /** Posted descriptor address, bits 63:32. */
  public static final Field PDAH = bits("PDAH", 63, 32);

  public static final int SVT_NONE = 0;
  public static final int SVT_SID = 1;
  public static final int SVT_BUS = 2;

  public static final Layout REMAPPED =
      Layout.of(
              "interrupt remapping table entry",
              "VT-d §9.9",
              P,
              FPD,
              DM,
              RH,
              TM,
              DLM,
              AVAIL,
              reserved(14, 12),
              IM,
              V,
              reserved(31, 24),
              DST)
          .then(SID, SQ, SVT, reserved(63, 20));

  public static final Layout POSTED =
      Layout.of(
              "interrupt remapping table entry, posted",
              "VT-d §9.10",
              P,
              FPD,
              reserved(7, 2),
              AVAIL,
              reserved(13, 12),
              URG,
              IM,
              VV,
              reserved(37, 24),
              PDAL)
          .then(SID, SQ, SVT, reserved(31, 20), PDAH);

  private Irte() {}
}
