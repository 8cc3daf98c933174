package org.iommu4j.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.iommu4j.machine.capture.CaptureFolder;

/** Finds what there is to run under the paths that a user names. */
final class Inputs {
  /** One thing to run. */
  sealed interface Input {
    Path path();
  }

  /** A file of cases. */
  record Vectors(Path path) implements Input {}

  /** A capture folder. */
  record Capture(Path path) implements Input {}

  /** What is left out, and why. */
  record Skipped(Path path, String why) implements Input {}

  /** What cannot be used. */
  record Unusable(Path path, String why) implements Input {}

  private static final String NOT_TRUTH =
      "in these cases QEMU and the specification disagree; they are not truth";

  private Inputs() {}

  /** Everything under {@code path}: itself, or what the folder and its folders hold, by name. */
  static List<Input> under(Path path) {
    List<Input> found = new ArrayList<>();
    if (path.toString().isEmpty()) {
      found.add(new Unusable(path, "an empty path; name a vector file or a capture"));
    } else if (Files.isDirectory(path)) {
      folder(path, found);
      if (found.isEmpty()) {
        found.add(
            new Unusable(
                path,
                path
                    + ": vector files (*.jsonl, *.jsonl.gz) or capture folders (with regs.json)"
                    + " were expected in this folder, there are none"));
      }
    } else if (!Files.exists(path)) {
      found.add(
          new Unusable(
              path, path + ": there is no such file or folder; name a vector file or a capture"));
    } else if (isDeviations(path)) {
      found.add(
          new Unusable(
              path, path + ": " + NOT_TRUTH + "; run the file without -qemu-deviations instead"));
    } else {
      found.add(new Vectors(path));
    }
    return found;
  }

  private static void folder(Path folder, List<Input> found) {
    if (CaptureFolder.isCapture(folder)) {
      found.add(new Capture(folder));
      return;
    }
    List<Path> entries;
    try (Stream<Path> all = Files.list(folder)) {
      entries = all.sorted().toList();
    } catch (IOException e) {
      found.add(new Unusable(folder, folder + ": cannot be listed: " + e));
      return;
    }
    for (Path entry : entries) {
      // Links to folders are not followed: they may lead back here.
      if (Files.isDirectory(entry) && !Files.isSymbolicLink(entry)) {
        folder(entry, found);
      } else if (isVectors(entry)) {
        found.add(isDeviations(entry) ? new Skipped(entry, NOT_TRUTH) : new Vectors(entry));
      }
    }
  }

  private static boolean isVectors(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.endsWith(".jsonl") || name.endsWith(".jsonl.gz");
  }

  private static boolean isDeviations(Path file) {
    return String.valueOf(file.getFileName()).contains("-qemu-deviations");
  }
}
