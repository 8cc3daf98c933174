package org.iommu4j.vtd.linux;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.FaultRecord;

/** Capability registers in words. */
final class UnitText {
  private UnitText() {}

  /** What a unit can do, as its two capability registers say, one sentence. */
  static String summary(long cap, long ecap) {
    List<String> parts = new ArrayList<>();
    parts.add("%d domains".formatted(domains(cap)));
    if (ExtendedCapability.SMTS.isSet(ecap)) {
      parts.add("scalable mode");
      add(parts, ExtendedCapability.FSTS, ecap, "first stage " + firstStage(cap));
      add(parts, ExtendedCapability.SSTS, ecap, "second stage " + secondStage(cap));
      add(parts, ExtendedCapability.NEST, ecap, "nesting");
    } else {
      parts.add("legacy mode only");
      parts.add("second stage " + secondStage(cap));
    }
    add(parts, ExtendedCapability.PT, ecap, "pass-through");
    add(parts, ExtendedCapability.QI, ecap, "queued invalidation");
    if (ExtendedCapability.IR.isSet(ecap)) {
      boolean wide = ExtendedCapability.EIM.isSet(ecap);
      parts.add("interrupt remapping" + (wide ? " with x2APIC" : " without x2APIC"));
    }
    add(parts, Capability.PI, cap, "posted interrupts");
    add(parts, ExtendedCapability.DT, ecap, "device-TLBs");
    if (ExtendedCapability.PASID.isSet(ecap)) {
      parts.add("PASIDs of %d bits".formatted(ExtendedCapability.PSS.get(ecap) + 1));
    }
    add(parts, ExtendedCapability.PRS, ecap, "page requests");
    add(parts, ExtendedCapability.PMS, ecap, "performance monitoring");
    add(parts, Capability.CM, cap, "caching mode (an emulated unit)");
    add(parts, Capability.RWBF, cap, "write buffers that have to be flushed");
    if (!ExtendedCapability.C.isSet(ecap) && !ExtendedCapability.SMPWCS.isSet(ecap)) {
      parts.add("tables are read past the processor's caches");
    }
    int records = FaultRecord.count(cap);
    parts.add(records == 1 ? "1 fault record" : records + " fault records");
    return String.join(", ", parts);
  }

  private static void add(List<String> parts, Field f, long word, String text) {
    if (f.isSet(word)) {
      parts.add(text);
    }
  }

  /** Domain ids of a unit: 2^(4 + 2*ND). */
  static long domains(long cap) {
    return 1L << (4 + 2 * Capability.ND.getInt(cap));
  }

  private static String secondStage(long cap) {
    int widths = Capability.SAGAW.getInt(cap);
    List<String> bits = new ArrayList<>();
    for (int n = 0; n < 5; n++) {
      if ((widths >> n & 1) != 0) {
        bits.add(String.valueOf(30 + 9 * n));
      }
    }
    int large = Capability.SSLPS.getInt(cap);
    return (bits.isEmpty() ? "none" : String.join("/", bits) + " bits")
        + ((large & 1) != 0 ? " with 2 MiB" : "")
        + ((large & 2) != 0 ? " and 1 GiB" : "")
        + (large != 0 ? " pages" : "");
  }

  private static String firstStage(long cap) {
    return (Capability.FS5LP.isSet(cap) ? "48/57 bits" : "48 bits")
        + (Capability.FS1GP.isSet(cap) ? " with 2 MiB and 1 GiB pages" : " with 2 MiB pages");
  }
}
