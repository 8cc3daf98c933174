package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** Entry of a PASID table, 64 bytes. §9.6. */
public final class PasidEntry {
  /** Bytes of an entry. */
  public static final int BYTES = 64;

  // Word 0.
  public static final Field P = bit("P", 0);

  /** Fault processing disable. */
  public static final Field FPD = bit("FPD", 1);

  /** Address width of the second stage: 1 39-bit, 2 48-bit, 3 57-bit. */
  public static final Field AW =
      bits("AW", 4, 2).means(1, "39 bits").means(2, "48 bits").means(3, "57 bits");

  /** PASID granular translation type. */
  public static final Field PGTT =
      bits("PGTT", 8, 6)
          .means(1, "first stage")
          .means(2, "second stage")
          .means(3, "nested")
          .means(4, "pass-through");

  /** Second-stage accessed and dirty bits enable. */
  public static final Field SSADE = bit("SSADE", 9);

  public static final Field SSPTPTR = bits("SSPTPTR", 63, 12);

  // Word 1.
  public static final Field DID = bits("DID", 15, 0);

  /** Page-walk snoop. */
  public static final Field PWSNP = bit("PWSNP", 23);

  /** Page snoop. */
  public static final Field PGSNP = bit("PGSNP", 24);

  /** Cache disable. */
  public static final Field CD = bit("CD", 25);

  /** Extended memory type enable. */
  public static final Field EMTE = bit("EMTE", 26);

  public static final Field PAT = bits("PAT", 63, 32);

  // Word 2.
  /** Supervisor request enable. */
  public static final Field SRE = bit("SRE", 0);

  /** First-stage paging mode: 0 4-level, 1 5-level. */
  public static final Field FSPM = bits("FSPM", 3, 2).means(0, "4 levels").means(1, "5 levels");

  /** Write protect: a supervisor, too, needs R/W to write. */
  public static final Field WPE = bit("WPE", 4);

  /** Extended accessed flag enable. */
  public static final Field EAFE = bit("EAFE", 7);

  public static final Field FSPTPTR = bits("FSPTPTR", 63, 12);

  // Word 4.
  /** Size of the host permission table's root: 2^HPTSZ pages. */
  public static final Field HPTSZ = bits("HPTSZ", 1, 0);

  /** Host permission table fault disable. */
  public static final Field HPTPFD = bit("HPTPFD", 2);

  public static final Field HPTPTR = bits("HPTPTR", 63, 12);

  // Word 5.
  public static final Field HPTDID = bits("HPTDID", 15, 0);

  public static final int FIRST_STAGE = 1;
  public static final int SECOND_STAGE = 2;
  public static final int NESTED = 3;
  public static final int PASS_THROUGH = 4;

  public static final Layout LAYOUT =
      Layout.of(
              "PASID entry",
              "VT-d §9.6",
              P,
              FPD,
              AW,
              reserved(5, 5),
              PGTT,
              SSADE,
              reserved(11, 10),
              SSPTPTR)
          .then(DID, reserved(22, 16), PWSNP, PGSNP, CD, EMTE, reserved(31, 27), PAT)
          .then(
              SRE,
              reserved(1, 1),
              FSPM,
              WPE,
              bits("IGN", 6, 5).as(IGNORED),
              EAFE,
              reserved(11, 8),
              FSPTPTR)
          .then(reserved(63, 0))
          .then(HPTSZ, HPTPFD, reserved(11, 3), HPTPTR)
          .then(HPTDID, reserved(63, 16))
          .then(reserved(63, 0))
          .then(reserved(63, 0));

  private PasidEntry() {}
}
