package org.iommu4j.amdvi.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.iommu4j.amdvi.layout.CapabilityBlock;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.FormatException;
import org.iommu4j.core.SysfsDecoder;
import org.iommu4j.core.SysfsUnit;
import org.iommu4j.core.SysfsUnit.Attribute;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.FieldText;
import org.iommu4j.core.bits.Layout;
import org.jspecify.annotations.Nullable;

/** Reads {@code /sys/class/iommu/ivhdN/amd-iommu}. */
public final class AmdviSysfs implements SysfsDecoder {
  /** Digits of a feature register at most. */
  private static final String REGISTER = "[0-9a-fA-F]{1,16}";

  /** For the service loader. */
  public AmdviSysfs() {}

  @Override
  public String architecture() {
    return "amdvi";
  }

  @Override
  public String group() {
    return "amd-iommu";
  }

  @Override
  public SysfsUnit decode(String unit, Map<String, String> files) throws FormatException {
    String folder = unit + "/" + group();
    List<Attribute> attributes = new ArrayList<>();
    Long cap = null;
    String text = files.get("cap");
    if (text != null) {
      cap = capability(folder, text);
      attributes.add(attribute("cap", text, CapabilityBlock.HEADER.fields(), cap, List.of(), 0));
    }
    String summary = "The unit's features are not told: the file features is needed.";
    text = files.get("features");
    if (text != null) {
      long[] efr = features(folder, text);
      attributes.add(
          attribute(
              "features",
              text,
              ExtendedFeatures.FIELDS,
              efr[0],
              ExtendedFeatures.REGISTER_2.fields(),
              efr[1]));
      summary = UnitText.summary(efr[0], efr[1]) + ofCapability(cap);
    }
    return new SysfsUnit(unit, architecture(), summary, attributes, List.of());
  }

  private static long capability(String folder, String text) throws FormatException {
    if (!text.matches("[0-9a-fA-F]{1,8}")) {
      throw fail(folder, "cap", text, "expected is a hexadecimal number of 32 bits");
    }
    return Long.parseLong(text, 16);
  }

  /** EFR and EFR2; old kernels tell only the first. The kernel tells what all units have. */
  private static long[] features(String folder, String text) throws FormatException {
    if (!text.matches(REGISTER + "(?::" + REGISTER + ")?")) {
      throw fail(
          folder, "features", text, "expected are two hexadecimal numbers of 64 bits, EFR:EFR2");
    }
    int colon = text.indexOf(':');
    return colon < 0
        ? new long[] {Long.parseUnsignedLong(text, 16), 0}
        : new long[] {
          Long.parseUnsignedLong(text.substring(0, colon), 16),
          Long.parseUnsignedLong(text.substring(colon + 1), 16)
        };
  }

  private static Attribute attribute(
      String name, String text, List<Field> first, long low, List<Field> second, long high) {
    List<Layout.Value> values = new ArrayList<>();
    first.forEach(f -> values.add(new Layout.Value(f, 0, f.get(low))));
    second.forEach(f -> values.add(new Layout.Value(f, 1, f.get(high))));
    String meaning = FieldText.of(first, low);
    if (high != 0) {
      meaning += "; " + FieldText.of(second, high);
    }
    return new Attribute(name, text, meaning, values);
  }

  private static String ofCapability(@Nullable Long cap) {
    if (cap == null) {
      return "";
    }
    return (CapabilityBlock.IOTLB_SUP.isSet(cap) ? ", device IOTLBs (ATS)" : "")
        + (CapabilityBlock.NP_CACHE.isSet(cap)
            ? ", caches what is not present (an emulated unit)"
            : "");
  }

  private static FormatException fail(String folder, String name, String found, String reason) {
    String printable = found.replaceAll("[^ -~]", "?");
    String shown = printable.length() > 40 ? printable.substring(0, 40) + "..." : printable;
    return new FormatException(
        folder + "/" + name, 0, "found is '%s', %s: copy the file again".formatted(shown, reason));
  }
}
