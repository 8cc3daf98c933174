package org.iommu4j.machine.capture;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** PCI requester ids as people write them: {@code bus:device.function}, a segment before it. */
public final class RequesterId {
  private static final Pattern FORM =
      Pattern.compile("(?:([0-9a-fA-F]{1,4}):)?([0-9a-fA-F]{2}):([01][0-9a-fA-F])\\.([0-7])");

  private RequesterId() {}

  /**
   * The number: segment in bits 31:16, bus in 15:8, device in 7:3, function in 2:0.
   *
   * @param text {@code 00:06.0} or {@code 0000:00:06.0}
   * @throws IllegalArgumentException if it is neither
   */
  public static int parse(String text) {
    Matcher m = FORM.matcher(text);
    if (!m.matches()) {
      throw new IllegalArgumentException(
          "'" + text + "' is not a PCI address: bus:device.function was expected, e.g. 00:06.0");
    }
    int segment = m.group(1) == null ? 0 : Integer.parseInt(m.group(1), 16);
    return segment << 16
        | Integer.parseInt(m.group(2), 16) << 8
        | Integer.parseInt(m.group(3), 16) << 3
        | Integer.parseInt(m.group(4));
  }

  /** The text for a number; the segment only if it is not 0. */
  public static String format(int id) {
    String function = "%02x:%02x.%d".formatted(id >> 8 & 0xff, id >> 3 & 0x1f, id & 7);
    return id >>> 16 == 0 ? function : "%04x:%s".formatted(id >>> 16, function);
  }
}
