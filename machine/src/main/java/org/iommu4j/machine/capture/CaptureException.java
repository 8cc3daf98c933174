package org.iommu4j.machine.capture;

import java.io.IOException;
import java.nio.file.Path;

/** A capture that cannot be used: the message names the file, what was expected, what to do. */
public final class CaptureException extends IOException {
  private static final long serialVersionUID = 1L;

  /** With the file concerned and the rest of the sentence. */
  public CaptureException(Path file, String message) {
    super(file + ": " + message);
  }
}
