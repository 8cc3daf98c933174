package org.iommu4j.machine.capture;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The lines of a text that somebody else wrote. A line has an end: what unpacks to gigabytes
 * without one is refused before it fills memory.
 */
public final class TextLines {
  /** The longest line of the vectors has 42 thousand bytes. */
  static final int LONGEST = 1 << 24;

  private final InputStream in;
  private byte[] line = new byte[1 << 12];
  private int number;

  /** Reads from a stream, which stays the caller's to close. */
  public TextLines(InputStream in) {
    this.in = new BufferedInputStream(in, 1 << 16);
  }

  /** The number of the line that was read last, from 1 on. */
  public int number() {
    return number;
  }

  /**
   * The next line without its end; null if there is none.
   *
   * @throws TextFile.NotText if it is too long, or not UTF-8; {@link #number} tells which one
   * @throws IOException if it cannot be read; {@link #number} is that of the line before
   */
  public @Nullable String next() throws IOException {
    int length = 0;
    int next = in.read();
    if (next < 0) {
      return null;
    }
    for (; next >= 0 && next != '\n'; next = in.read()) {
      if (length == line.length) {
        if (length == LONGEST) {
          number++;
          throw new TextFile.NotText("is longer than 16 MiB");
        }
        line = Arrays.copyOf(line, length * 2);
      }
      line[length++] = (byte) next;
    }
    number++;
    return TextFile.decode(line, length);
  }
}
