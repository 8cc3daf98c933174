package org.iommu4j.conformance;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.iommu4j.machine.capture.StrictObject;

/** A file of cases, one JSON object a line, packed with gzip or plain. */
final class VectorFile {
  private static final int BUFFER = 1 << 16;

  private VectorFile() {}

  /** Takes a case. */
  interface Sink {
    void take(Case<?> one) throws StrictObject.Malformed;
  }

  /**
   * Reads every case, line by line.
   *
   * @throws UnusableInput at the first line that is no case; the cases before it were taken
   */
  static void read(Path file, Iterable<Format<?>> formats, Sink sink) throws UnusableInput {
    int number = 0;
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), BUFFER);
        // The decoder refuses what is not UTF-8; a reader made from the charset would replace it.
        BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(unpacked(raw), StandardCharsets.UTF_8.newDecoder()),
                BUFFER)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (!line.isBlank()) {
          sink.take(read(line, formats));
        }
      }
    } catch (StrictObject.Malformed e) {
      throw new UnusableInput("%s:%d: %s".formatted(file, number, e.getMessage()));
    } catch (IOException e) {
      throw new UnusableInput(
          "%s: cannot be read after line %d (%s); gzip or plain text in UTF-8 was expected, one"
                  .formatted(file, number, e.getMessage() == null ? e : e.getMessage())
              + " case a line: copy the file again");
    }
  }

  private static InputStream unpacked(InputStream raw) throws IOException {
    raw.mark(2);
    int magic = raw.read() | raw.read() << 8;
    raw.reset();
    return magic == GZIPInputStream.GZIP_MAGIC ? new GZIPInputStream(raw, BUFFER) : raw;
  }

  private static Case<?> read(String line, Iterable<Format<?>> formats) {
    StrictObject row = StrictObject.parse(line, "case");
    String id = row.text("id");
    for (Format<?> format : formats) {
      if (format.owns(id)) {
        return format.read(row);
      }
    }
    throw new StrictObject.Malformed(
        "case '%s': its id tells no known format; riscv-ref/... or qemu-<architecture>/... was"
                .formatted(id)
            + " expected");
  }
}
