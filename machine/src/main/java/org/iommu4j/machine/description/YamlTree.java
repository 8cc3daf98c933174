package org.iommu4j.machine.description;

import java.io.StringReader;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLParser;

/**
 * A YAML document as a tree of nodes, and for every JSON pointer into it the place in the text.
 *
 * <p>One document, no aliases, no key twice: what a person would not see in the text is not there.
 */
final class YamlTree {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final Pattern POSITION = Pattern.compile("line (\\d+), column (\\d+)");

  private final String file;
  private final Map<String, Place> values = new HashMap<>();
  private final Map<String, Place> keys = new HashMap<>();
  private final JsonNode root;

  private YamlTree(String file, String text) {
    this.file = file;
    try (JsonParser parser =
        YAMLFactory.builder()
            .build()
            .createParser(ObjectReadContext.empty(), new StringReader(text))) {
      JsonToken first = parser.nextToken();
      if (first == null) {
        throw new InvalidPlatform(
            file, Place.START, "the file is empty", "start it with 'platform: <name>'");
      }
      root = value(parser, first, "");
      if (parser.nextToken() != null) {
        throw new InvalidPlatform(
            file, place(parser), "a second document begins here", "put it into a file of its own");
      }
    } catch (JacksonException e) {
      throw syntax(file, e);
    }
  }

  /**
   * Parses a text.
   *
   * @throws InvalidPlatform if it is not one YAML document
   */
  static YamlTree parse(String file, String text) {
    return new YamlTree(file, text);
  }

  JsonNode root() {
    return root;
  }

  /** Where the value at a pointer begins, or the nearest value around it. */
  Place valueAt(String pointer) {
    return nearest(values, pointer);
  }

  /** Where the key at a pointer begins, or its value if it has no key. */
  Place keyAt(String pointer) {
    Place key = keys.get(pointer);
    return key == null ? valueAt(pointer) : key;
  }

  private static Place nearest(Map<String, Place> places, String pointer) {
    for (String at = pointer; ; at = at.substring(0, at.lastIndexOf('/'))) {
      Place place = places.get(at);
      if (place != null) {
        return place;
      }
      if (at.isEmpty()) {
        return Place.START;
      }
    }
  }

  /** A key as one step of a JSON pointer. */
  static String escape(String key) {
    return key.replace("~", "~0").replace("/", "~1");
  }

  private JsonNode value(JsonParser parser, JsonToken token, String pointer) {
    Place here = place(parser);
    values.put(pointer, here);
    if (parser instanceof YAMLParser yaml && yaml.isCurrentAlias()) {
      throw new InvalidPlatform(
          file, here, "'*" + parser.getString() + "' is an alias", "write the value out");
    }
    return switch (token) {
      case START_OBJECT -> object(parser, pointer);
      case START_ARRAY -> array(parser, pointer);
      case VALUE_TRUE -> NODES.booleanNode(true);
      case VALUE_FALSE -> NODES.booleanNode(false);
      case VALUE_NULL -> NODES.nullNode();
      case VALUE_NUMBER_INT -> NODES.numberNode(parser.getBigIntegerValue());
      case VALUE_NUMBER_FLOAT -> NODES.numberNode(parser.getDoubleValue());
      default -> NODES.stringNode(parser.getString());
    };
  }

  private ObjectNode object(JsonParser parser, String pointer) {
    ObjectNode object = NODES.objectNode();
    while (next(parser) == JsonToken.PROPERTY_NAME) {
      String key = parser.currentName();
      String at = pointer + "/" + escape(key);
      Place here = place(parser);
      Place before = keys.put(at, here);
      if (before != null) {
        throw new InvalidPlatform(
            file, here, "key '" + key + "' was given before, at " + before, "remove one of them");
      }
      object.set(key, value(parser, next(parser), at));
    }
    return object;
  }

  private ArrayNode array(JsonParser parser, String pointer) {
    ArrayNode array = NODES.arrayNode();
    for (JsonToken t = next(parser); t != JsonToken.END_ARRAY; t = next(parser)) {
      array.add(value(parser, t, pointer + "/" + array.size()));
    }
    return array;
  }

  private static JsonToken next(JsonParser parser) {
    JsonToken token = parser.nextToken();
    return token == null ? JsonToken.NOT_AVAILABLE : token;
  }

  private static Place place(JsonParser parser) {
    TokenStreamLocation at = parser.currentTokenLocation();
    return new Place(Math.max(1, at.getLineNr()), Math.max(1, at.getColumnNr()));
  }

  /**
   * The parser's own words are a picture of several lines; the last position in it is the fault.
   */
  private static InvalidPlatform syntax(String file, JacksonException e) {
    String message = e.getOriginalMessage();
    TokenStreamLocation at = e.getLocation();
    @Nullable Place place =
        at == null ? null : new Place(Math.max(1, at.getLineNr()), Math.max(1, at.getColumnNr()));
    Matcher m = POSITION.matcher(message);
    while (m.find()) {
      place = new Place(Integer.parseInt(m.group(1)), Integer.parseInt(m.group(2)));
    }
    StringBuilder words = new StringBuilder();
    for (String line : message.split("\n")) {
      if (!line.isBlank() && !line.startsWith(" ")) {
        words.append(words.isEmpty() ? "" : ", ").append(line.strip());
      }
    }
    return new InvalidPlatform(
        file,
        place == null ? Place.START : place,
        "not YAML: " + words,
        "indent with spaces, and quote texts that contain ': ' or begin with a special character");
  }
}
