package org.iommu4j.machine.description;

import java.util.Locale;
import org.iommu4j.core.Options;

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
   * @throws NumberFormatException if it is neither
   */
  public static int parseRequester(String text) {
    int colon = text.lastIndexOf(':');
    int dot = text.indexOf('.');
    if (colon < 0 || dot < colon) {
      long id = Options.parse(text);
      if (id < 0 || id > 0xff_ffffL) {
        throw new NumberFormatException(text);
      }
      return (int) id;
    }
    int first = text.indexOf(':');
    int segment = first < colon ? Integer.parseInt(text.substring(0, first), 16) : 0;
    int bus = Integer.parseInt(text.substring(first < colon ? first + 1 : 0, colon), 16);
    int device = Integer.parseInt(text.substring(colon + 1, dot), 16);
    int function = Integer.parseInt(text.substring(dot + 1), 16);
    if ((segment & ~0xff) != 0 || (bus & ~0xff) != 0 || (device & ~31) != 0 || function > 7) {
      throw new NumberFormatException(text);
    }
    return segment << 16 | bus << 8 | device << 3 | function;
  }

  /** A requester id as a PCI function: {@code 00:03.0}, or {@code 0001:00:03.0}. */
  public static String requester(int source) {
    String function =
        String.format(
            Locale.ROOT, "%02x:%02x.%d", source >>> 8 & 0xff, source >>> 3 & 31, source & 7);
    int segment = source >>> 16;
    return segment == 0 ? function : String.format(Locale.ROOT, "%04x:%s", segment, function);
  }

  /** An address in hexadecimal. */
  public static String address(long address) {
    return "0x" + Long.toHexString(address);
  }
}
