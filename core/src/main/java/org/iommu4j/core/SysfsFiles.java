package org.iommu4j.core;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Reads folders of sysfs, or copies of them. */
final class SysfsFiles {
  /** A file of sysfs is at most one page of the kernel, and 64 KiB is the largest page. */
  private static final int LARGEST = 64 << 10;

  private SysfsFiles() {}

  /** What is in a folder, by name. */
  static List<String> names(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  /** The files of a folder, without the newline at their ends; links and folders are left out. */
  static Map<String, String> content(Path folder) throws IOException {
    Map<String, String> files = new TreeMap<>();
    for (String name : names(folder)) {
      Path file = folder.resolve(name);
      if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        try (InputStream in = Files.newInputStream(file)) {
          files.put(name, new String(in.readNBytes(LARGEST), StandardCharsets.UTF_8).strip());
        }
      }
    }
    return files;
  }
}
