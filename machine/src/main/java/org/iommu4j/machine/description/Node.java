package org.iommu4j.machine.description;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.iommu4j.core.Options;
import org.iommu4j.core.dma.DmaRequest;
import tools.jackson.databind.JsonNode;

/** A map in a checked tree: values by key, converted; what cannot be converted is a problem. */
final class Node {
  private final Reading reading;
  private final String pointer;
  private final JsonNode json;

  /** What one reading shares: the tree, and the problems met so far. */
  record Reading(String file, YamlTree tree, List<Problem> problems) {
    void problem(Place place, String message, String advice) {
      problems.add(new Problem(file, place, message, advice));
    }
  }

  private Node(Reading reading, String pointer, JsonNode json) {
    this.reading = reading;
    this.pointer = pointer;
    this.json = json;
  }

  static Node root(Reading reading) {
    return new Node(reading, "", reading.tree.root());
  }

  /** Where the map begins. */
  Place at() {
    return reading.tree.valueAt(pointer);
  }

  /** Where the value of a key begins; the map if it is absent. */
  Place at(String key) {
    return reading.tree.valueAt(pointer + "/" + key);
  }

  boolean has(String key) {
    return json.has(key);
  }

  /** A problem with the value of a key. */
  void problem(String key, String message, String advice) {
    reading.problem(at(key), message, advice);
  }

  Node map(String key) {
    return new Node(reading, pointer + "/" + key, json.path(key));
  }

  /** The maps of a list; none if it is absent. */
  <T> List<T> list(String key, Function<Node, T> reader) {
    List<T> all = new ArrayList<>();
    JsonNode array = json.path(key);
    for (int i = 0; i < array.size(); i++) {
      all.add(reader.apply(new Node(reading, pointer + "/" + key + "/" + i, array.get(i))));
    }
    return all;
  }

  List<Integer> integers(String key) {
    return json.path(key).valueStream().map(JsonNode::asInt).toList();
  }

  String text(String key, String otherwise) {
    JsonNode value = json.path(key);
    return value.isMissingNode() ? otherwise : value.asString();
  }

  /** The settings in a map of them. */
  Map<String, String> settings(String key) {
    Map<String, String> all = new LinkedHashMap<>();
    json.path(key).properties().forEach(e -> all.put(e.getKey(), e.getValue().asString()));
    return all;
  }

  long address(String key, long otherwise) {
    return number(key, otherwise, Options::parse);
  }

  long size(String key, long otherwise) {
    return number(key, otherwise, Units::parseSize);
  }

  int requester(String key) {
    return (int) number(key, 0, Units::parseRequester);
  }

  int pasid() {
    return json.path("pasid").asInt(DmaRequest.NO_PASID);
  }

  int integer(String key, int otherwise) {
    return json.path(key).asInt(otherwise);
  }

  double real(String key, double otherwise) {
    return json.path(key).asDouble(otherwise);
  }

  boolean flag(String key) {
    return json.path(key).asBoolean(false);
  }

  private long number(String key, long otherwise, ToLongFunction<String> parser) {
    JsonNode value = json.path(key);
    if (value.isMissingNode()) {
      return otherwise;
    }
    try {
      return parser.applyAsLong(value.asString());
    } catch (IllegalArgumentException e) {
      problem(key, key + ": '" + value.asString() + "' is out of range", "use a smaller number");
      return otherwise;
    }
  }
}
