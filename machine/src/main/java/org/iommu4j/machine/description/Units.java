package org.iommu4j.machine.description;

import java.util.Locale;
import org.iommu4j.core.Options;
import org.iommu4j.machine.capture.RequesterId;

/** Sizes and requester ids as people write them. */
public final class Units {
  private static final String SUFFIXES = "KMGT";

  private Units() {}

  /**
   * A size: decimal or hexadecimal bytes, or decimal with K, M, G or T.
   *
   * @throws NumberFormatException if it is none
   */
  public static long parseSize(String text) {
    int suffix = text.isEmpty() ? -1 : SUFFIXES.indexOf(text.charAt(text.length() - 1));
    if (suffix < 0) {
      return Options.parse(text);
    }
    long number = Options.parse(text.substring(0, text.length() - 1));
    int shift = 10 * (suffix + 1);
    if (number < 0 || number > Long.MAX_VALUE >>> shift) {
      throw new NumberFormatException(text);
    }
    return number << shift;
  }

  /** The shortest exact way to write a size: {@code 4K}, {@code 2M}, {@code 1G}, {@code 100}. */
  public static String size(long bytes) {
    for (int i = SUFFIXES.length() - 1; i >= 0; i--) {
      int shift = 10 * (i + 1);
      if (bytes != 0 && bytes >>> shift << shift == bytes) {
        return (bytes >>> shift) + SUFFIXES.substring(i, i + 1);
      }
    }
    return Long.toUnsignedString(bytes);
  }

  /** A size for people, three digits: {@code 4.0 KiB}, {@code 1.25 GiB}. */
  public static String roughly(long bytes) {
    if (bytes >= 0 && bytes < 1024) {
      return bytes + " B";
    }
    double value = bytes < 0 ? bytes + 0x1p64 : bytes;
    int i = -1;
    while (value >= 1024 && i < 5) {
      value /= 1024;
      i++;
    }
    String unit = " " + "KMGTPE".charAt(i) + "iB";
    return String.format(
            Locale.ROOT, value < 10 && value != Math.rint(value) ? "%.2f" : "%.0f", value)
        + unit;
  }

  /**
   * A requester id: a PCI function as {@code bus:device.function}, with a segment in front or not,
   * in hexadecimal; or a number.
   *
   * @throws IllegalArgumentException if it is neither
   */
  public static int parseRequester(String text) {
    if (text.indexOf(':') >= 0) {
      return RequesterId.parse(text);
    }
    long id = Options.parse(text);
    if (id < 0 || id > 0xffff_ffffL) {
      throw new NumberFormatException(text);
    }
    return (int) id;
  }

  /** A requester id as a PCI function: {@code 00:03.0}, or {@code 0001:00:03.0}. */
  public static String requester(int source) {
    return RequesterId.format(source);
  }

  /** An address in hexadecimal. */
  public static String address(long address) {
    return "0x" + Long.toHexString(address);
  }
}
