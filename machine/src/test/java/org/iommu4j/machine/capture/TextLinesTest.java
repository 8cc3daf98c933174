package org.iommu4j.machine.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextLinesTest {
  private static TextLines of(String text, int... more) {
    byte[] start = text.getBytes(StandardCharsets.UTF_8);
    byte[] all = new byte[start.length + more.length];
    System.arraycopy(start, 0, all, 0, start.length);
    for (int i = 0; i < more.length; i++) {
      all[start.length + i] = (byte) more[i];
    }
    return new TextLines(new ByteArrayInputStream(all));
  }

  @Test
  void lines_are_counted_and_the_last_needs_no_end() throws IOException {
    TextLines lines = of("a\n\n\u00fc" + "b".repeat(100_000));
    assertThat(lines.next()).isEqualTo("a");
    assertThat(lines.next()).isEmpty();
    assertThat(lines.next()).startsWith("\u00fcb").hasSize(100_001);
    assertThat(lines.number()).isEqualTo(3);
    assertThat(lines.next()).isNull();
    assertThat(lines.number()).isEqualTo(3);
    assertThat(of("a\n").next()).isEqualTo("a");
    assertThat(of("").next()).isNull();
  }

  @Test
  void bytes_that_are_no_text_are_named_with_their_line() throws IOException {
    TextLines lines = of("a\nbc", 0xff, 'd');
    assertThat(lines.next()).isEqualTo("a");
    assertThatThrownBy(lines::next)
        .isInstanceOf(TextFile.NotText.class)
        .hasMessage("is not UTF-8 text: byte 2 is 0xff");
    assertThat(lines.number()).isEqualTo(2);
    // The beginning of a character, and nothing behind it.
    assertThatThrownBy(of("", 0xe2, 0x82)::next).hasMessageContaining("byte 0 is 0xe2");
  }

  @Test
  void a_line_without_end_is_refused() {
    TextLines lines =
        new TextLines(
            new InputStream() {
              @Override
              public int read() {
                return 0;
              }
            });
    assertThatThrownBy(lines::next)
        .isInstanceOf(TextFile.NotText.class)
        .hasMessage("is longer than 16 MiB");
    assertThat(lines.number()).isEqualTo(1);
  }

  @Test
  void a_file_may_be_no_larger_than_its_limit(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("x");
    Files.write(file, new byte[1 << 20]);
    assertThat(TextFile.read(file, 1 << 20)).hasSize(1 << 20);
    Files.write(file, new byte[(1 << 20) + 1]);
    assertThatThrownBy(() -> TextFile.read(file, 1 << 20))
        .isInstanceOf(TextFile.NotText.class)
        .hasMessage("has more than the 1 MiB that such a file may have");
    assertThatThrownBy(() -> TextFile.read(folder, 10)).hasMessageContaining("is a folder");
  }
}
