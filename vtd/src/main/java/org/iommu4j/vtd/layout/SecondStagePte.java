package org.iommu4j.vtd.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/** Second-stage paging entry of any level. §9.8. */
public final class SecondStagePte {
  public static final Field R = bit("R", 0);
  public static final Field W = bit("W", 1);

  /** Memory type, if EMTE. */
  public static final Field EMT = bits("EMT", 5, 3);

  /** Ignore PAT. */
  public static final Field IPAT = bit("IPAT", 6);

  /** Page size: a leaf above the last level. */
  public static final Field PS = bit("PS", 7);

  public static final Field A = bit("A", 8);
  public static final Field D = bit("D", 9);

  /** Snoop: accesses to the page are forced to be coherent. */
  public static final Field SNP = bit("SNP", 11);

  public static final Field ADDR = bits("ADDR", 51, 12);

  /** With RTADDR_REG.SSIRWE, what R is without. */
  public static final Field IR = bit("IR", 61);

  /** With RTADDR_REG.SSIRWE, what W is without; reserved otherwise. */
  public static final Field IW = bit("IW", 62);

  public static final Layout LAYOUT =
      Layout.of(
          "second-stage paging entry",
          "VT-d §9.8",
          R,
          W,
          bit("IGN", 2).as(IGNORED),
          EMT,
          IPAT,
          PS,
          A,
          D,
          bit("IGN", 10).as(IGNORED),
          SNP,
          ADDR,
          bits("IGN", 60, 52).as(IGNORED),
          IR,
          IW,
          bit("IGN", 63).as(IGNORED));

  private SecondStagePte() {}
}
