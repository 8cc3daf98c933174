package org.iommu4j.core;

import java.util.List;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/**
 * Understands what a kernel's driver of one architecture writes into its log. Found through {@link
 * ServiceLoader}.
 */
public interface KernelLog {
  /**
   * Characters of a line: 1024 bytes that a kernel writes at most, each of which /dev/kmsg may make
   * four of, and what stands in front. Nothing longer is read, as time grows faster than length.
   */
  int LONGEST = 4 * 1024 + 256;

  /** The architecture's id, as {@link Architecture#id}. */
  String architecture();

  /**
   * What a line says, null if it is not of this driver, or longer than {@link #LONGEST}.
   *
   * @param line as in dmesg or a journal, with or without time stamps
   */
  @Nullable KernelMessage parse(String line);

  /** The readers of all architectures that are present, by id. */
  static List<KernelLog> all() {
    return ServiceLoader.load(KernelLog.class).stream()
        .map(ServiceLoader.Provider::get)
        .sorted((a, b) -> a.architecture().compareTo(b.architecture()))
        .toList();
  }
}
