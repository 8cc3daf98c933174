package org.iommu4j.driver;

/** The unit did not do as its specification says; the message names the register and its value. */
public final class DriverException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With what was expected, what was found, and what to do. */
  public DriverException(String message) {
    super(message);
  }
}
