package org.iommu4j.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Collects what differs; what agrees leaves no trace. */
public final class Differences {
  private final List<Difference> list = new ArrayList<>(0);

  /** Compares two small numbers, written in decimal. */
  public Differences decimal(String field, long expected, long actual) {
    if (expected != actual) {
      list.add(new Difference(field, Long.toString(expected), Long.toString(actual)));
    }
    return this;
  }

  /** Compares two words or addresses, written in hexadecimal. */
  public Differences hex(String field, long expected, long actual) {
    if (expected != actual) {
      list.add(new Difference(field, hex(expected), hex(actual)));
    }
    return this;
  }

  /** Compares two values by their text. */
  public Differences same(String field, Object expected, Object actual) {
    if (!Objects.equals(expected, actual)) {
      list.add(new Difference(field, expected.toString(), actual.toString()));
    }
    return this;
  }

  /** States a difference that was found in another way. */
  public Differences add(String field, String expected, String actual) {
    list.add(new Difference(field, expected, actual));
    return this;
  }

  /** Takes over what another comparison found. */
  public Differences all(List<Difference> others) {
    list.addAll(others);
    return this;
  }

  /** What differs, in the order of the comparisons; empty if nothing does. */
  public List<Difference> list() {
    return list;
  }

  /** A word or address as all messages write it. */
  public static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }
}
