package org.iommu4j.machine.description;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.iommu4j.machine.capture.TextFile;

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
  private static final int LARGEST = 4 << 20;

  private PlatformFile() {}

  /**
   * Reads a file.
   *
   * @throws InvalidPlatform if its content cannot be used
   * @throws IOException if it cannot be read
   */
  public static PlatformDescription read(Path file) throws IOException {
    String name = file.toString();
    try {
      return parse(name, TextFile.read(file, LARGEST));
    } catch (TextFile.NotText e) {
      throw new InvalidPlatform(
          name,
          Place.START,
          "the file " + e.getMessage(),
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
