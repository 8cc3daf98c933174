package org.iommu4j.amdvi.linux;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.bits.Field;

/** Capability registers in words. */
final class UnitText {
  /** HATS: there are no host tables. */
  private static final int NONE = 3;

  private UnitText() {}

  /** What a unit can do, as its two feature registers say, without a full stop. */
  static String summary(long efr, long efr2) {
    List<String> parts = new ArrayList<>();
    int hats = ExtendedFeatures.HATS.getInt(efr);
    parts.add(
        hats == NONE ? "no host tables" : "host tables of up to %d levels".formatted(4 + hats));
    if (ExtendedFeatures.GT_SUP.isSet(efr)) {
      parts.add("guest tables of up to %d levels".formatted(4 + ExtendedFeatures.GATS.getInt(efr)));
      parts.add("%d-bit PASIDs".formatted(1 + ExtendedFeatures.PAS_MAX.getInt(efr)));
    }
    add(parts, ExtendedFeatures.GIO_SUP, efr, "guest tables for requests without PASID");
    add(parts, ExtendedFeatures.HA_SUP, efr, "host accessed bits");
    add(parts, ExtendedFeatures.HD_SUP, efr, "host dirty bits");
    add(parts, ExtendedFeatures.PPR_SUP, efr, "page requests");
    parts.add(
        "interrupt remapping "
            + (ExtendedFeatures.XT_SUP.isSet(efr) ? "with x2APIC" : "without x2APIC"));
    add(parts, ExtendedFeatures.GA_SUP, efr, "128-bit interrupt entries");
    add(parts, ExtendedFeatures.GAM_SUP, efr, "guest virtual APIC");
    add(parts, ExtendedFeatures.NUM_INT_REMAP_SUP, efr2, "2048 interrupts a function");
    add(parts, ExtendedFeatures.IA_SUP, efr, "INVALIDATE_IOMMU_ALL");
    add(parts, ExtendedFeatures.PREF_SUP, efr, "prefetching");
    add(parts, ExtendedFeatures.HE_SUP, efr, "hardware event registers");
    add(parts, ExtendedFeatures.PC_SUP, efr, "performance counters");
    if (ExtendedFeatures.DEV_TBL_SEG_SUP.isSet(efr)) {
      parts.add(
          "%d device table segments".formatted(1 << ExtendedFeatures.DEV_TBL_SEG_SUP.getInt(efr)));
    }
    add(parts, ExtendedFeatures.VIOMMU_SUP, efr, "virtual IOMMU");
    add(parts, ExtendedFeatures.SNP_SUP, efr, "SEV-SNP");
    add(parts, ExtendedFeatures.HT_RANGE_IGNORE, efr2, "no HyperTransport range");
    return String.join(", ", parts);
  }

  private static void add(List<String> parts, Field f, long word, String text) {
    if (f.isSet(word)) {
      parts.add(text);
    }
  }
}
