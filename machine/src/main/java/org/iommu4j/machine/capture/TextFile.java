package org.iommu4j.machine.capture;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads text that somebody else wrote: UTF-8 throughout, and no larger than its purpose needs. */
public final class TextFile {
  /** What was read is no such text; the message continues a sentence that begins with the file. */
  public static final class NotText extends IOException {
    private static final long serialVersionUID = 1L;

    NotText(String message) {
      super(message);
    }
  }

  private TextFile() {}

  /**
   * Reads a whole file. Its size is not asked for but found: devices and pipes do not tell it.
   *
   * @param limit bytes that it may have at most
   * @throws NotText if it is a folder, is larger, or is not UTF-8
   * @throws IOException if it cannot be read
   */
  public static String read(Path file, int limit) throws IOException {
    if (Files.isDirectory(file)) {
      throw new NotText("is a folder, a file was expected");
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(limit + 1);
      if (bytes.length > limit) {
        throw new NotText("has more than the " + (limit >> 20) + " MiB that such a file may have");
      }
      return decode(bytes, bytes.length);
    }
  }

  /**
   * The text of the first {@code length} bytes.
   *
   * @throws NotText if they are not UTF-8, with the offset of the first byte that is not
   */
  static String decode(byte[] bytes, int length) throws NotText {
    ByteBuffer in = ByteBuffer.wrap(bytes, 0, length);
    CharBuffer out = CharBuffer.allocate(length);
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    CoderResult result = decoder.decode(in, out, true);
    if (result.isError()) {
      throw new NotText(
          "is not UTF-8 text: byte %d is 0x%02x"
              .formatted(in.position(), bytes[in.position()] & 0xff));
    }
    return out.flip().toString();
  }
}
