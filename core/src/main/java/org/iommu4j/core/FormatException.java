package org.iommu4j.core;

import java.io.IOException;

/** Bytes or text that are not what they claim to be: where, what was found, what was expected. */
public final class FormatException extends IOException {
  private static final long serialVersionUID = 1L;

  private final long offset;

  /**
   * With the place and the reason.
   *
   * @param structure what was being read, e.g. {@code RIMT}
   * @param offset bytes from its start
   * @param reason what was found and what was expected
   */
  public FormatException(String structure, long offset, String reason) {
    super("%s, offset 0x%x: %s".formatted(structure, offset, reason));
    this.offset = offset;
  }

  /** Bytes from the start of the structure. */
  public long offset() {
    return offset;
  }
}
