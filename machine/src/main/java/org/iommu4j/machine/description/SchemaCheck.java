package org.iommu4j.machine.description;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Checks a tree against the schema, and says what is wrong in words of the file, not of schemas.
 */
final class SchemaCheck {
  private static final String RESOURCE = "platform.schema.json";
  private static final int LONGEST_QUOTE = 40;

  private final JsonNode text;
  private final Schema schema;

  private SchemaCheck() {
    String json = PlatformFile.resource(RESOURCE);
    text = JsonMapper.shared().readTree(json);
    schema =
        SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
            .getSchema(json, InputFormat.JSON);
  }

  /** Everything in which the tree differs from the schema, in the file's order. */
  static List<Problem> check(String file, YamlTree tree) {
    SchemaCheck check = new SchemaCheck();
    List<Problem> problems = new ArrayList<>();
    for (Error error : check.schema.validate(tree.root())) {
      problems.add(check.problem(file, tree, error));
    }
    problems.sort(Comparator.comparing(Problem::place));
    return problems;
  }

  private Problem problem(String file, YamlTree tree, Error error) {
    String pointer = error.getInstanceLocation().toString();
    String keyword = String.valueOf(error.getKeyword());
    String property = String.valueOf(error.getProperty());
    JsonNode rule = rule(error);
    String expected = rule.path("description").asString("something else");
    JsonNode found = tree.root().at(pointer);
    return switch (keyword) {
      case "additionalProperties" ->
          new Problem(
              file,
              tree.keyAt(pointer + "/" + YamlTree.escape(property)),
              "key '" + property + "' is unknown in " + expected,
              Similar.advice(property, rule.path("properties").propertyNames()));
      case "required" ->
          new Problem(
              file,
              tree.valueAt(pointer),
              "'" + property + "' is missing in " + expected,
              "add it: "
                  + property
                  + ": <"
                  + described(rule.path("properties").path(property))
                  + ">");
      case "enum" ->
          new Problem(
              file,
              tree.valueAt(pointer),
              named(pointer) + quote(found) + " is not " + expected,
              "use one of "
                  + String.join(
                      ", ", rule.path("enum").valueStream().map(JsonNode::asString).toList()));
      case "uniqueItems" ->
          new Problem(
              file,
              tree.valueAt(pointer),
              named(pointer) + "names something twice",
              "remove one of them");
      case "minItems" ->
          new Problem(
              file, tree.keyAt(pointer), named(pointer) + "is empty", "it needs " + expected);
      default ->
          new Problem(
              file,
              tree.valueAt(pointer),
              named(pointer) + "found " + quote(found),
              "expected " + expected);
    };
  }

  /** The schema object that holds the keyword which failed. */
  private JsonNode rule(Error error) {
    String at = error.getSchemaLocation().getFragment().toString();
    int slash = at.lastIndexOf('/');
    return slash < 0 ? text : text.at(at.substring(0, slash));
  }

  /** A description, through {@code $ref}. */
  private String described(JsonNode rule) {
    String ref = rule.path("$ref").asString("");
    JsonNode target = ref.isEmpty() ? rule : text.at(ref.substring(1));
    return target.path("description").asString("a value");
  }

  /** The last key of a pointer that is not an index, as a lead-in. */
  private static String named(String pointer) {
    String key = pointer.substring(pointer.lastIndexOf('/') + 1);
    return key.isEmpty() || Character.isDigit(key.charAt(0)) ? "" : key + ": ";
  }

  private static String quote(JsonNode node) {
    if (node.isObject()) {
      return "a map of keys";
    }
    if (node.isArray()) {
      return "a list";
    }
    if (node.isNull() || node.isMissingNode()) {
      return "nothing";
    }
    String s = node.asString();
    return "'" + (s.length() > LONGEST_QUOTE ? s.substring(0, LONGEST_QUOTE) + "..." : s) + "'";
  }
}
