package org.iommu4j.core;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * Understands what a kernel's driver of one architecture tells about its units below {@code
 * /sys/class/iommu}. Found through {@link ServiceLoader}.
 *
 * <p>A unit is a folder there. Its driver's files are in a folder within, whose name tells the
 * driver: {@code dmar0/intel-iommu}, {@code ivhd0/amd-iommu}. Drivers that tell nothing have none.
 *
 * <pre>{@code
 * SysfsDecoder.read(Path.of("/sys/class/iommu/dmar0")).ifPresent(u -> ... u.summary() ...);
 * }</pre>
 */
public interface SysfsDecoder {
  /** The architecture's id, as {@link Architecture#id}. */
  String architecture();

  /** The folder of the driver's files within a unit's. */
  String group();

  /**
   * Decodes a unit's files. Files that are missing are left out, files that are not known too.
   *
   * @param unit the unit's name
   * @param files content by name, without the newline at the end
   * @throws FormatException if a file is not what the driver writes
   */
  SysfsUnit decode(String unit, Map<String, String> files) throws FormatException;

  /** The decoders of all architectures that are present, by id. */
  static List<SysfsDecoder> all() {
    return ServiceLoader.load(SysfsDecoder.class).stream()
        .map(ServiceLoader.Provider::get)
        .sorted((a, b) -> a.architecture().compareTo(b.architecture()))
        .toList();
  }

  /**
   * Reads a unit's folder: the one under {@code /sys/class/iommu}, or a copy of it.
   *
   * @return empty if no driver that is known here has files in it
   * @throws FormatException if a file is not what the driver writes
   * @throws IOException if a file cannot be read
   */
  static Optional<SysfsUnit> read(Path unit) throws IOException {
    for (SysfsDecoder decoder : all()) {
      Path group = unit.resolve(decoder.group());
      if (Files.isDirectory(group)) {
        String name = String.valueOf(unit.getFileName());
        return Optional.of(decoder.decode(name, SysfsFiles.content(group)).with(devices(unit)));
      }
    }
    return Optional.empty();
  }

  private static List<String> devices(Path unit) throws IOException {
    Path devices = unit.resolve("devices");
    return Files.isDirectory(devices) ? SysfsFiles.names(devices) : List.of();
  }
}
