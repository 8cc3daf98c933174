package org.iommu4j.core.testing;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.iommu4j.core.KernelLog;

/** Lines of a kernel log that nobody would write, short and endless. */
public final class LongLines {
  private LongLines() {}

  /**
   * A reader takes each of them.
   *
   * @param pattern a line with {@code %s} for what is repeated, then {@code |} and that
   */
  public static void areRead(KernelLog log, String pattern) {
    String[] parts = pattern.split("\\|", -1);
    for (int n : new int[] {1, 10, 20, 1_000, 100_000}) {
      String line = parts[0].formatted(parts[1].repeat(n));
      assertThatCode(() -> log.parse(line)).doesNotThrowAnyException();
    }
  }
}
