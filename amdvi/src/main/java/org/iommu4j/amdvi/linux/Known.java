package org.iommu4j.amdvi.linux;

import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.iommu4j.core.KernelMessage;
import org.iommu4j.core.KernelMessage.Kind;
import org.jspecify.annotations.Nullable;

/**
 * A line that the driver can write.
 *
 * @param pattern the message without its prefix; a group {@code unit} is what it is about
 * @param kind what sort of message it is
 * @param advice what it means, from what the pattern found
 */
record Known(Pattern pattern, Kind kind, Function<Matcher, String> advice) {
  /** Numbers in the kernel's notation: lower-case hexadecimal, with or without 0x. */
  static final String HEX = "(?:0x)?([0-9a-f]+)";

  /** A PCI function, in old kernels without its segment. */
  static final String DEVICE = "(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]";

  static Known state(String regex, String advice) {
    return of(Kind.STATE, regex, m -> advice);
  }

  static Known warning(String regex, String advice) {
    return of(Kind.WARNING, regex, m -> advice);
  }

  static Known error(String regex, String advice) {
    return of(Kind.ERROR, regex, m -> advice);
  }

  static Known of(Kind kind, String regex, Function<Matcher, String> advice) {
    return new Known(Pattern.compile(regex), kind, advice);
  }

  /** What the first of them that knows the line says, null if none does. */
  static @Nullable KernelMessage first(List<Known> list, String unit, String text, String body) {
    for (Known k : list) {
      Matcher m = k.pattern.matcher(body);
      if (m.matches()) {
        String named = k.pattern.namedGroups().containsKey("unit") ? m.group("unit") : null;
        return new KernelMessage(
            named == null ? unit : named, k.kind, text, null, k.advice.apply(m));
      }
    }
    return null;
  }

  /** An unsigned number of a group. */
  static long hex(Matcher m, int group) {
    return hex(m.group(group));
  }

  /** An unsigned number without 0x; what is too long for 64 bits becomes all ones. */
  static long hex(String text) {
    String digits = text.replaceFirst("^0+(?=.)", "");
    return digits.length() > 16 ? -1 : Long.parseUnsignedLong(digits, 16);
  }
}
