package org.iommu4j.driver.support;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.iommu4j.core.Options;

/**
 * A setting that gives ranges to requester ids: {@code 0x10@0x7c000000-0x7f7fffff, 0xa0@...}, all
 * numbers decimal or hexadecimal, both ends included.
 */
public final class SourceRanges {
  /** Both ends included. */
  public record Range(long first, long last) {}

  private SourceRanges() {}

  /**
   * Reads a setting; nothing for nobody if it is not given.
   *
   * @param unit what a range starts at a multiple of, and ends before one
   * @param most the largest last
   */
  public static Map<Integer, List<Range>> of(Options o, String name, long unit, long most) {
    Map<Integer, List<Range>> all = new TreeMap<>();
    for (String part : o.text(name, "").split(",")) {
      if (!part.isBlank()) {
        add(all, name, part.strip(), unit, most);
      }
    }
    return all;
  }

  private static void add(
      Map<Integer, List<Range>> all, String name, String part, long unit, long most) {
    String[] halves = part.split("@", -1);
    String[] ends = halves.length == 2 ? halves[1].split("-", -1) : new String[0];
    if (ends.length != 2) {
      throw invalid(name, "'" + part + "' is not source@first-last");
    }
    long source = number(name, part, halves[0]);
    long first = number(name, part, ends[0]);
    long last = number(name, part, ends[1]);
    if (source >>> 16 != 0) {
      throw invalid(name, "'%s': source 0x%x has more than 16 bits".formatted(part, source));
    }
    if (Long.compareUnsigned(first, last) > 0
        || Long.compareUnsigned(last, most) > 0
        || ((first | last + 1) & unit - 1) != 0) {
      throw invalid(
          name,
          "'%s': a range starts at a multiple of 0x%x, ends before one, and by 0x%x"
              .formatted(part, unit, most));
    }
    all.computeIfAbsent((int) source, s -> new ArrayList<>()).add(new Range(first, last));
  }

  private static long number(String name, String part, String text) {
    try {
      return Options.parse(text.strip());
    } catch (NumberFormatException e) {
      throw invalid(name, "'%s': '%s' is not a number".formatted(part, text.strip()));
    }
  }

  private static Options.InvalidOption invalid(String name, String message) {
    return new Options.InvalidOption(name, message);
  }
}
