package org.iommu4j.vtd.linux;

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

  static final String UNIT = "(?<unit>dmar\\d+)";

  static Known state(String regex, String advice) {
    return new Known(Pattern.compile(regex), Kind.STATE, m -> advice);
  }

  static Known warning(String regex, String advice) {
    return new Known(Pattern.compile(regex), Kind.WARNING, m -> advice);
  }

  static Known error(String regex, String advice) {
    return new Known(Pattern.compile(regex), Kind.ERROR, m -> advice);
  }

  static Known of(Kind kind, String regex, Function<Matcher, String> advice) {
    return new Known(Pattern.compile(regex), kind, advice);
  }

  /**
   * What the line says, null if it is another one.
   *
   * @param unit what it is about if the message does not tell
   * @param text the message as it is shown
   * @param body the message without any prefix
   */
  @Nullable KernelMessage parse(String unit, String text, String body) {
    Matcher m = pattern.matcher(body);
    if (!m.matches()) {
      return null;
    }
    String named = pattern.namedGroups().containsKey("unit") ? m.group("unit") : null;
    return new KernelMessage(named == null ? unit : named, kind, text, null, advice.apply(m));
  }

  /** An unsigned number of a group; what is too long for 64 bits becomes all ones. */
  static long hex(Matcher m, int group) {
    String digits = m.group(group).replaceFirst("^0+(?=.)", "");
    return digits.length() > 16 ? -1 : Long.parseUnsignedLong(digits, 16);
  }
}
