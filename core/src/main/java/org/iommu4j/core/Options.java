package org.iommu4j.core;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * The settings of one unit, by name, as a platform file or a vector gives them. Architectures take
 * what they know; what is left over is an error that names it.
 */
public final class Options {
  /** A setting that cannot be used: the message names it, what was found and what is expected. */
  public static final class InvalidOption extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final String option;

    /** Names the option and says what is wrong with it. */
    public InvalidOption(String option, String message) {
      super("option '" + option + "': " + message);
      this.option = option;
    }

    /** The setting's name. */
    public String option() {
      return option;
    }
  }

  private final Map<String, String> values;
  private final Set<String> unused;

  private Options(Map<String, String> values) {
    this.values = new LinkedHashMap<>(values);
    this.unused = new LinkedHashSet<>(values.keySet());
  }

  /** The given settings. */
  public static Options of(Map<String, String> values) {
    return new Options(values);
  }

  /** No settings: every default. */
  public static Options none() {
    return new Options(Map.of());
  }

  /** Whether the setting is given. */
  public boolean has(String name) {
    return values.containsKey(name);
  }

  /** Any text. */
  public String text(String name, String otherwise) {
    return take(name, otherwise, s -> s, "text");
  }

  /** An unsigned 64-bit number: decimal, or hexadecimal after {@code 0x}; underscores ignored. */
  public long number(String name, long otherwise) {
    return take(name, otherwise, Options::parse, "a number, decimal or 0x-hexadecimal");
  }

  /** A number within {@code min..max}. */
  public int integer(String name, int otherwise, int min, int max) {
    long v = number(name, otherwise);
    if (v < min || v > max) {
      throw new InvalidOption(name, v + " is not within " + min + ".." + max);
    }
    return (int) v;
  }

  /** true or false. */
  public boolean flag(String name, boolean otherwise) {
    return take(
        name,
        otherwise,
        s ->
            switch (s) {
              case "true" -> true;
              case "false" -> false;
              default -> throw new NumberFormatException();
            },
        "true or false");
  }

  /** A constant of an enum, in lower case with dashes. */
  public <E extends Enum<E>> E choice(String name, Class<E> type, E otherwise) {
    StringBuilder all = new StringBuilder("one of");
    for (E e : type.getEnumConstants()) {
      all.append(' ').append(spelling(e));
    }
    return take(
        name,
        otherwise,
        s -> {
          for (E e : type.getEnumConstants()) {
            if (spelling(e).equals(s.toLowerCase(Locale.ROOT))) {
              return e;
            }
          }
          throw new NumberFormatException();
        },
        all.toString());
  }

  /** How a constant is written. */
  public static String spelling(Enum<?> e) {
    return e.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private <T> T take(String name, T otherwise, Function<String, T> parser, String expected) {
    String s = values.get(name);
    if (s == null) {
      return otherwise;
    }
    unused.remove(name);
    try {
      return parser.apply(s.strip());
    } catch (NumberFormatException e) {
      throw new InvalidOption(name, "'" + s + "' is not " + expected);
    }
  }

  /** Takes a setting without looking at it. */
  public void ignore(String name) {
    unused.remove(name);
  }

  /**
   * Fails if a setting was not taken.
   *
   * @param known the names that exist, for the message
   */
  public void finish(Iterable<String> known) {
    if (!unused.isEmpty()) {
      String name = unused.iterator().next();
      throw new InvalidOption(name, "is unknown; known are " + String.join(", ", known));
    }
  }

  /** An unsigned 64-bit number: decimal, or hexadecimal after {@code 0x}. */
  public static long parse(String text) {
    String s = text.replace("_", "").toLowerCase(Locale.ROOT);
    return s.startsWith("0x")
        ? Long.parseUnsignedLong(s.substring(2), 16)
        : Long.parseUnsignedLong(s);
  }
}
