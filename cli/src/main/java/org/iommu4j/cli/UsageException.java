package org.iommu4j.cli;

/** Something in what the user gave cannot be used; the message is all there is to say. */
final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UsageException(String message) {
    super(message);
  }
}
