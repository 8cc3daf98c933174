package org.iommu4j.conformance;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.iommu4j.machine.capture.StrictObject;
import org.iommu4j.machine.capture.TextFile;
import org.iommu4j.machine.capture.TextLines;
import org.jspecify.annotations.Nullable;

/** A file of cases, one JSON object a line, packed with gzip or plain. */
final class VectorFile {
  private static final int BUFFER = 1 << 16;

  private static final String EXPECTED =
      "gzip or plain text in UTF-8 was expected, one case a line: copy the file again";

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
    TextLines lines = null;
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), BUFFER);
        InputStream text = unpacked(raw)) {
      lines = new TextLines(text);
      for (String line = lines.next(); line != null; line = lines.next()) {
        if (!line.isBlank()) {
          sink.take(read(line, formats));
        }
      }
    } catch (StrictObject.Malformed e) {
      throw new UnusableInput("%s:%d: %s".formatted(file, number(lines), e.getMessage()));
    } catch (TextFile.NotText e) {
      throw new UnusableInput(
          "%s:%d: the line %s; %s".formatted(file, number(lines), e.getMessage(), EXPECTED));
    } catch (AccessDeniedException e) {
      throw new UnusableInput(file + ": may not be read; change its permissions");
    } catch (IOException e) {
      throw new UnusableInput(
          "%s: cannot be read after line %d (%s); %s"
              .formatted(
                  file, number(lines), e.getMessage() == null ? e : e.getMessage(), EXPECTED));
    }
  }

  private static int number(@Nullable TextLines lines) {
    return lines == null ? 0 : lines.number();
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
                .formatted(id.length() > 80 ? id.substring(0, 80) + "..." : id)
            + " expected");
  }
}
