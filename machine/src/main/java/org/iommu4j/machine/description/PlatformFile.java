package org.iommu4j.machine.description;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Reads platform files.
 *
 * <pre>{@code
 * PlatformDescription d = PlatformFile.read(Path.of("server.yaml"));
 * }</pre>
 */
public final class PlatformFile {
  /** The name under which the bundled platform is known. */
  public static final String EXAMPLE = "example";

  /** A platform file is written by hand; 4 MiB are some 40,000 mappings. */
  private static final long LARGEST = 4L << 20;

  private PlatformFile() {}

  /**
   * Reads a file.
   *
   * @throws InvalidPlatform if its content cannot be used
   * @throws IOException if it cannot be read
   */
  public static PlatformDescription read(Path file) throws IOException {
    long size = Files.size(file);
    String name = file.toString();
    if (size > LARGEST) {
      throw new InvalidPlatform(
          name,
          Place.START,
          "the file has " + Units.roughly(size) + ", a platform file at most 4 MiB",
          "give a YAML file that describes a platform, or the folder of a capture");
    }
    try {
      return parse(name, Files.readString(file));
    } catch (CharacterCodingException e) {
      throw new InvalidPlatform(
          name,
          Place.START,
          "the file is not UTF-8 text",
          "give a YAML file that describes a platform, or the folder of a capture");
    }
  }

  /** The bundled platform. */
  public static PlatformDescription example() {
    return parse("example.yaml", exampleText());
  }

  /** The bundled platform's file. */
  public static String exampleText() {
    return resource("example.yaml");
  }

  /** The JSON Schema of platform files. */
  public static String schema() {
    return resource("platform.schema.json");
  }

  /**
   * Reads a text.
   *
   * @param file the name for messages
   * @throws InvalidPlatform if the text cannot be used
   */
  public static PlatformDescription parse(String file, String text) {
    YamlTree tree = YamlTree.parse(file, text);
    stopAt(SchemaCheck.check(file, tree));
    List<Problem> problems = new ArrayList<>();
    PlatformDescription platform = new Binder(new Node.Reading(file, tree, problems)).bind();
    stopAt(problems);
    stopAt(Rules.check(platform));
    return platform;
  }

  private static void stopAt(List<Problem> problems) {
    if (!problems.isEmpty()) {
      throw new InvalidPlatform(
          problems.stream().sorted(Comparator.comparing(Problem::place)).distinct().toList());
    }
  }

  static String resource(String name) {
    try (InputStream in = PlatformFile.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the resource " + name + " is missing from this build");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
