package org.iommu4j.machine.capture;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A JSON object of which every field has to be asked for: what is left over when {@link #finish} is
 * called is an error, never ignored.
 *
 * <p>Numbers are unsigned 64-bit: a JSON integer is decimal, a string that begins with {@code 0x}
 * is hexadecimal. {@code null} counts as absent where a field may be absent.
 *
 * <pre>{@code
 * StrictObject step = StrictObject.parse("{\"pa\":\"0x1000\",\"len\":4}", "step");
 * long pa = step.number("pa");
 * long length = step.number("len");
 * step.finish();
 * }</pre>
 */
public final class StrictObject {
  /** What was read is not what was expected; the message says where, what and what instead. */
  public static final class Malformed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With the message for the person who wrote the file. */
    public Malformed(String message) {
      super(message);
    }
  }

  /** Longer values are cut in messages. */
  private static final int LONG = 200;

  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final JsonNode node;
  private final String what;
  private final List<String> asked = new ArrayList<>(8);

  private StrictObject(JsonNode node, String what) {
    this.node = node;
    this.what = what;
  }

  /**
   * Parses one object.
   *
   * @param what what it is, for messages
   * @throws Malformed if the text is not one JSON object
   */
  public static StrictObject parse(String json, String what) {
    return of(tree(json, what), what);
  }

  /**
   * Parses an array of objects.
   *
   * @param what what each of them is, for messages
   * @throws Malformed if the text is not a JSON array of objects
   */
  public static List<StrictObject> parseArray(String json, String what) {
    JsonNode tree = tree(json, what);
    if (!tree.isArray()) {
      throw new Malformed("an array of objects was expected, found " + brief(tree));
    }
    return all(tree, what);
  }

  private static JsonNode tree(String json, String what) {
    try {
      return MAPPER.readTree(json);
    } catch (JacksonException e) {
      TokenStreamLocation at = e.getLocation();
      String line = at == null || json.indexOf('\n') < 0 ? "" : "line " + at.getLineNr() + ", ";
      throw new Malformed(
          "%s is not JSON: %s (%scolumn %d)"
              .formatted(what, e.getOriginalMessage(), line, at == null ? 1 : at.getColumnNr()));
    }
  }

  private static StrictObject of(JsonNode node, String what) {
    if (!node.isObject()) {
      throw new Malformed(what + ": an object was expected, found " + brief(node));
    }
    return new StrictObject(node, what);
  }

  private static List<StrictObject> all(JsonNode array, String what) {
    List<StrictObject> all = new ArrayList<>(array.size());
    for (JsonNode n : array) {
      all.add(of(n, what + "[" + all.size() + "]"));
    }
    return all;
  }

  /** What this object is, as messages call it. */
  public String what() {
    return what;
  }

  /** The same object under another name for messages; what was asked for is forgotten. */
  public StrictObject as(String name) {
    return new StrictObject(node, name);
  }

  /** Whether the field is there and not null. */
  public boolean has(String name) {
    JsonNode n = ask(name);
    return n != null && !n.isNull();
  }

  /** The names of all fields, in order. */
  public List<String> names() {
    return List.copyOf(node.propertyNames());
  }

  /** A string. */
  public String text(String name) {
    JsonNode n = required(name);
    if (!n.isString()) {
      throw wrong(name, n, "a string");
    }
    return n.stringValue();
  }

  /** A string that is one of {@code choices}. */
  public String choice(String name, String... choices) {
    String s = text(name);
    for (String c : choices) {
      if (c.equals(s)) {
        return s;
      }
    }
    throw wrong(name, required(name), "one of " + String.join(", ", choices));
  }

  /** A string or a number, as it is written. */
  public String scalar(String name) {
    JsonNode n = required(name);
    if (n.isString()) {
      return n.stringValue();
    }
    if (n.isIntegralNumber() || n.isBoolean()) {
      return n.asString();
    }
    throw wrong(name, n, "a string, number or boolean");
  }

  /** An unsigned 64-bit number. */
  public long number(String name) {
    JsonNode n = required(name);
    if (n.isInt()) {
      int v = n.intValue();
      if (v >= 0) {
        return v;
      }
    } else if (n.isIntegralNumber()) {
      BigInteger v = n.bigIntegerValue();
      if (v.signum() >= 0 && v.bitLength() <= 64) {
        return v.longValue();
      }
    } else if (n.isString()) {
      String s = n.stringValue();
      if (s.startsWith("0x")) {
        try {
          return Long.parseUnsignedLong(s, 2, s.length(), 16);
        } catch (NumberFormatException e) {
          // falls through to the one message
        }
      }
    }
    throw wrong(name, n, "a number of at most 64 bits: decimal, or \"0x...\" in hexadecimal");
  }

  /** The same, or {@code otherwise} if the field is absent. */
  public long number(String name, long otherwise) {
    return has(name) ? number(name) : otherwise;
  }

  /** A number within {@code min..max}. */
  public int integer(String name, int min, int max) {
    long v = number(name);
    if (v < min || v > max) {
      throw wrong(name, required(name), "a number within " + min + ".." + max);
    }
    return (int) v;
  }

  /** A number within {@code min..max}, or {@code otherwise} if the field is absent. */
  public int integer(String name, int min, int max, int otherwise) {
    return has(name) ? integer(name, min, max) : otherwise;
  }

  /** true or false. */
  public boolean flag(String name) {
    JsonNode n = required(name);
    if (!n.isBoolean()) {
      throw wrong(name, n, "true or false");
    }
    return n.booleanValue();
  }

  /** true or false, or {@code otherwise} if the field is absent. */
  public boolean flag(String name, boolean otherwise) {
    return has(name) ? flag(name) : otherwise;
  }

  /** A byte string: two hexadecimal digits a byte, in memory order. */
  public byte[] bytes(String name) {
    String s = text(name);
    try {
      return HexFormat.of().parseHex(s);
    } catch (IllegalArgumentException e) {
      throw wrong(name, required(name), "bytes, two hexadecimal digits each");
    }
  }

  /** An object inside this one. */
  public StrictObject object(String name) {
    JsonNode n = required(name);
    if (!n.isObject()) {
      throw wrong(name, n, "an object");
    }
    return new StrictObject(n, what + "." + name);
  }

  /** An array of objects. */
  public List<StrictObject> objects(String name) {
    JsonNode n = required(name);
    if (!n.isArray()) {
      throw wrong(name, n, "an array of objects");
    }
    return all(n, what + "." + name);
  }

  /** An array of strings. */
  public List<String> texts(String name) {
    JsonNode n = required(name);
    if (!n.isArray()) {
      throw wrong(name, n, "an array of strings");
    }
    List<String> all = new ArrayList<>(n.size());
    for (JsonNode e : n) {
      if (!e.isString()) {
        throw wrong(name, n, "an array of strings");
      }
      all.add(e.stringValue());
    }
    return all;
  }

  /**
   * Fails if the object has a field that was not asked for.
   *
   * @throws Malformed naming the field and those that exist
   */
  public void finish() {
    for (String name : node.propertyNames()) {
      if (!asked.contains(name)) {
        throw new Malformed(
            "%s: unknown field '%s'; known here are %s"
                .formatted(what, name, String.join(", ", asked)));
      }
    }
  }

  /** The object as JSON, cut after {@code length} characters. */
  public String text(int length) {
    return cut(node.toString(), length);
  }

  private @Nullable JsonNode ask(String name) {
    if (!asked.contains(name)) {
      asked.add(name);
    }
    return node.get(name);
  }

  private JsonNode required(String name) {
    JsonNode n = ask(name);
    if (n == null || n.isNull()) {
      throw new Malformed("%s: field '%s' is missing".formatted(what, name));
    }
    return n;
  }

  private Malformed wrong(String name, JsonNode found, String expected) {
    return new Malformed(
        "%s: field '%s' has to be %s, found %s".formatted(what, name, expected, brief(found)));
  }

  private static String brief(JsonNode node) {
    return cut(node.toString(), LONG);
  }

  private static String cut(String text, int length) {
    return text.length() <= length ? text : text.substring(0, length) + "...";
  }
}
