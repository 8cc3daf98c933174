package org.iommu4j.amdvi;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** What real machines said; see the README beside the files. */
public final class Captures {
  private static final Path ROOT = Path.of("src/test/resources/org/iommu4j/amdvi/captures");

  /** One folder a machine. */
  public static final List<String> ALL = List.of("amd-v1");

  private Captures() {}

  /** A file or folder of a capture. */
  public static Path path(String capture, String file) {
    return ROOT.resolve(capture).resolve(file);
  }

  /** The ACPI table. */
  public static byte[] ivrs(String capture) throws IOException {
    return Files.readAllBytes(path(capture, "IVRS.aml"));
  }

  /** The kernel's log, line by line. */
  public static List<String> dmesg(String capture) throws IOException {
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(path(capture, "dmesg.txt.gz"))),
                StandardCharsets.UTF_8))) {
      return in.lines().toList();
    }
  }
}
