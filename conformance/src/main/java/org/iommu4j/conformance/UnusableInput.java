package org.iommu4j.conformance;

import java.io.IOException;

/** Input that cannot be used; the message names it, what was expected and what to do. */
public final class UnusableInput extends IOException {
  private static final long serialVersionUID = 1L;

  /** With the whole message. */
  public UnusableInput(String message) {
    super(message);
  }
}
