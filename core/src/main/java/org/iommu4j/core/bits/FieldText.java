package org.iommu4j.core.bits;

import java.util.ArrayList;
import java.util.List;

/** What is set in registers and structures, in one line for people. */
public final class FieldText {
  private FieldText() {}

  /** The fields of a word that are not 0: {@code V TV Mode=0x4}. */
  public static String of(List<Field> fields, long word) {
    List<String> parts = new ArrayList<>();
    for (Field f : fields) {
      if (f.isSet(word)) {
        parts.add(part(f, f.get(word)));
      }
    }
    return parts.isEmpty() ? "nothing set" : String.join(" ", parts);
  }

  /** The fields of a structure that are not 0, word by word. */
  public static String of(Layout layout, long... words) {
    List<String> parts = new ArrayList<>();
    for (Layout.Value v : layout.decode(words)) {
      if (v.value() != 0) {
        parts.add(part(v.field(), v.value()));
      }
    }
    return parts.isEmpty() ? "all zeroes" : String.join(" ", parts);
  }

  private static String part(Field f, long value) {
    return f.width() == 1 ? f.name() : "%s=0x%x".formatted(f.name(), value);
  }
}
