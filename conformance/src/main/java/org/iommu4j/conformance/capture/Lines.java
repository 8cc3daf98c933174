package org.iommu4j.conformance.capture;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.iommu4j.machine.capture.CaptureException;
import org.iommu4j.machine.capture.StrictObject;
import org.iommu4j.machine.capture.TextFile;
import org.iommu4j.machine.capture.TextLines;

/** A file of a capture that has one JSON object a line. */
final class Lines {
  private Lines() {}

  /** Takes a line. */
  interface Sink {
    void take(int number, StrictObject line);
  }

  /**
   * Hands over every line.
   *
   * @param missing what to say if there is no such file
   * @throws CaptureException at the first line that is not as it should be
   */
  static void read(Path file, String missing, Sink sink) throws CaptureException {
    if (Files.isDirectory(file)) {
      throw new CaptureException(file, "is a folder; " + missing);
    }
    int number = 0;
    try (InputStream in = Files.newInputStream(file)) {
      TextLines lines = new TextLines(in);
      try {
        for (String line = lines.next(); line != null; line = lines.next()) {
          number = lines.number();
          if (!line.isBlank()) {
            sink.take(number, StrictObject.parse(line, "line"));
          }
        }
      } catch (TextFile.NotText e) {
        throw new CaptureException(
            file, "line " + lines.number() + " " + e.getMessage() + "; take the capture again");
      }
    } catch (StrictObject.Malformed e) {
      throw new CaptureException(
          file, "line " + number + ": " + e.getMessage() + "; take the capture again");
    } catch (NoSuchFileException e) {
      throw new CaptureException(file, "is missing; " + missing);
    } catch (AccessDeniedException e) {
      throw new CaptureException(file, "may not be read; change its permissions");
    } catch (CaptureException e) {
      throw e;
    } catch (IOException e) {
      throw new CaptureException(
          file, "cannot be read after line %d (%s)".formatted(number, e.getMessage()));
    }
  }
}
