package org.iommu4j.vtd.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import org.iommu4j.core.FormatException;
import org.iommu4j.core.SysfsDecoder;
import org.iommu4j.core.SysfsUnit;
import org.iommu4j.core.SysfsUnit.Attribute;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.FieldText;
import org.iommu4j.core.bits.Layout;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.jspecify.annotations.Nullable;

/** Reads {@code /sys/class/iommu/dmarN/intel-iommu}. */
public final class VtdSysfs implements SysfsDecoder {
  /** For the service loader. */
  public VtdSysfs() {}

  @Override
  public String architecture() {
    return "vtd";
  }

  @Override
  public String group() {
    return "intel-iommu";
  }

  @Override
  public SysfsUnit decode(String unit, Map<String, String> files) throws FormatException {
    Files f = new Files(unit + "/" + group(), files);
    f.version();
    Long address = f.number("address", 16, v -> "The registers are at 0x%x.".formatted(v));
    if (address != null && (address & 0xfff) != 0) {
      throw f.fail("address", "which is not the start of a page, as registers are");
    }
    Long cap = f.register("cap", Capability.FIELDS);
    Long ecap = f.register("ecap", ExtendedCapability.FIELDS);
    f.number("domains_supported", 10, v -> v + " domain ids" + supported(v, cap) + ".");
    f.number("domains_used", 10, v -> v + " of them are in use.");
    String summary =
        cap == null || ecap == null
            ? "The unit's capabilities are not told: cap and ecap are needed."
            : UnitText.summary(cap, ecap);
    return new SysfsUnit(unit, architecture(), summary, f.attributes, List.of());
  }

  private static String supported(long said, @Nullable Long cap) {
    return cap == null || said == UnitText.domains(cap)
        ? ""
        : ", but CAP.ND means " + UnitText.domains(cap);
  }

  /** One unit's files, taken one after another. */
  private static final class Files {
    private final String folder;
    private final Map<String, String> content;
    private final List<Attribute> attributes = new ArrayList<>();

    Files(String folder, Map<String, String> content) {
      this.folder = folder;
      this.content = content;
    }

    FormatException fail(String name, String reason) {
      String found = content.getOrDefault(name, "").replaceAll("[^ -~]", "?");
      String shown = found.length() > 40 ? found.substring(0, 40) + "..." : found;
      return new FormatException(
          folder + "/" + name,
          0,
          "found is '%s', %s: copy the file again".formatted(shown, reason));
    }

    void version() throws FormatException {
      String text = content.get("version");
      if (text == null) {
        return;
      }
      if (!text.matches("\\d{1,2}:\\d{1,2}")) {
        throw fail("version", "expected is MAJOR:MINOR");
      }
      String version = text.replace(':', '.');
      attributes.add(
          new Attribute("version", text, "VER_REG: version %s.".formatted(version), List.of()));
    }

    @Nullable Long register(String name, List<Field> fields) throws FormatException {
      return number(name, 16, v -> FieldText.of(fields, v), fields);
    }

    @Nullable Long number(String name, int radix, LongFunction<String> meaning)
        throws FormatException {
      return number(name, radix, meaning, List.of());
    }

    private @Nullable Long number(
        String name, int radix, LongFunction<String> meaning, List<Field> fields)
        throws FormatException {
      String text = content.get(name);
      if (text == null) {
        return null;
      }
      long value;
      try {
        value = Long.parseUnsignedLong(text, radix);
      } catch (NumberFormatException e) {
        throw fail(
            name,
            "expected is a %s number of 64 bits"
                .formatted(radix == 16 ? "hexadecimal" : "decimal"));
      }
      List<Layout.Value> values =
          fields.stream().map(f -> new Layout.Value(f, 0, f.get(value))).toList();
      attributes.add(new Attribute(name, text, meaning.apply(value), values));
      return value;
    }
  }
}
