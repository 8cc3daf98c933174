package org.iommu4j.conformance.capture;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.iommu4j.machine.capture.CaptureException;
import org.iommu4j.machine.capture.StrictObject;

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
    int number = 0;
    try (BufferedReader lines = Files.newBufferedReader(file)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (!line.isBlank()) {
          sink.take(number, StrictObject.parse(line, "line"));
        }
      }
    } catch (StrictObject.Malformed e) {
      throw new CaptureException(
          file, "line " + number + ": " + e.getMessage() + "; take the capture again");
    } catch (NoSuchFileException e) {
      throw new CaptureException(file, "is missing; " + missing);
    } catch (IOException e) {
      throw new CaptureException(file, "cannot be read after line " + number + ": " + e);
    }
  }
}
