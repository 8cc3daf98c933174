package org.iommu4j.machine.description;

/**
 * One thing that is wrong with a platform file.
 *
 * @param file the file's name
 * @param place where in the file
 * @param message what was found and what was expected
 * @param advice what to do about it
 */
public record Problem(String file, Place place, String message, String advice) {
  /** {@code file:line:column: message; advice}. */
  @Override
  public String toString() {
    return file + ":" + place + ": " + message + (advice.isEmpty() ? "" : "; " + advice);
  }
}
