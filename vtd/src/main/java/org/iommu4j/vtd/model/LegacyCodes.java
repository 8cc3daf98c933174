package org.iommu4j.vtd.model;

import org.iommu4j.vtd.layout.Reason;

/** A quirk: the codes of legacy mode for what scalable mode has codes of its own. */
final class LegacyCodes {
  private LegacyCodes() {}

  static int of(Reason reason) {
    return switch (reason) {
      case SRT_1 -> Reason.LRT_1.code();
      case SRT_2 -> Reason.LRT_2.code();
      case SRT_3 -> Reason.LRT_3.code();
      case SCT_1 -> Reason.LCT_1.code();
      case SCT_2 -> Reason.LCT_2.code();
      case SCT_3 -> Reason.LCT_3.code();
      case SSS_1 -> Reason.LSS_1.code();
      case SSS_3 -> Reason.LSS_2.code();
      case SGN_5 -> Reason.LGN_1_1.code();
      case SGN_7, SSS_2 -> Reason.LGN_3.code();
      default -> reason.code();
    };
  }
}
