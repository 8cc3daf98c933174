package org.iommu4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.machine.Settings;
import org.iommu4j.machine.capture.CaptureFolder;
import org.iommu4j.machine.description.PlatformDescription;
import org.iommu4j.machine.description.PlatformFile;
import org.jspecify.annotations.Nullable;

/** What a PLATFORM argument names: the bundled example, a platform file, or a capture folder. */
sealed interface PlatformSource {
  /** A description. */
  record Described(PlatformDescription description) implements PlatformSource {}

  /** A captured machine. */
  record Captured(Path folder) implements PlatformSource {}

  /**
   * Finds out what the argument names; null is the example.
   *
   * @throws IOException if it cannot be read
   */
  static PlatformSource of(@Nullable String argument) throws IOException {
    if (argument == null) {
      return new Described(PlatformFile.example());
    }
    if (argument.isEmpty()) {
      throw new UsageException("an empty path; give a capture's folder or a platform file");
    }
    Path path = Path.of(argument);
    if (Files.isDirectory(path)) {
      if (!CaptureFolder.isCapture(path)) {
        throw new UsageException(
            argument
                + " is a folder without regs.json, so it is no capture;"
                + " give a capture's folder or a platform file");
      }
      return new Captured(path);
    }
    if (!Files.exists(path)) {
      if (argument.equals(PlatformFile.EXAMPLE)) {
        return new Described(PlatformFile.example());
      }
      throw new NoSuchFileException(argument);
    }
    return new Described(PlatformFile.read(path));
  }

  /** Refuses what only platform files take. */
  static void refuseForCapture(@Nullable String arch, @Nullable CacheBehaviour cache) {
    if (arch != null || cache != null) {
      throw new UsageException(
          "--arch and --cache are for platform files; a capture's units are what they were");
    }
  }

  /** The settings that options ask for. */
  static Settings settings(@Nullable String arch, @Nullable CacheBehaviour cache) {
    if (arch != null) {
      try {
        Architecture.named(arch);
      } catch (IllegalArgumentException e) {
        throw new UsageException("--arch: " + e.getMessage());
      }
    }
    return new Settings(arch, cache);
  }
}
