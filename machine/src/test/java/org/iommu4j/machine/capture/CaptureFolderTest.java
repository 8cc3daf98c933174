package org.iommu4j.machine.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.memory.PhysicalMemory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CaptureFolderTest {
  private static final String REGS =
      """
      [{"name":"unit0","base":"0x3010000","regs":[
        {"offset":"0x0","size":4,"value":"0x10"},
        {"offset":"0x4","size":4,"value":"0x20"},
        {"offset":"0x0","size":8,"value":"0x7700000011"},
        {"offset":"0x8","size":8,"value":"0x4400000033"}]}]
      """;

  @TempDir Path folder;
  private final byte[] image = new byte[3 * 4096];

  @BeforeEach
  void a_capture_of_three_pages() throws Exception {
    Arrays.fill(image, 0, 4096, (byte) 1);
    Arrays.fill(image, 4096, 8192, (byte) 2);
    Arrays.fill(image, 8192, 12288, (byte) 3);
    write("regs.json", REGS);
    write("memory.json", memory(sha256(image)));
    Files.write(folder.resolve("memory.img.gz"), gzip(image));
  }

  private static String memory(String sha256) {
    return """
    {"page_size":4096,"image":"memory.img.gz","guest_ram":{"base":"0x80000000","size":1048576},
     "pages":3,"sha256":"%s","extents":[
      {"pa":"0x80001000","pages":2,"offset":0},{"pa":"0x800ff000","pages":1,"offset":8192}]}
    """
        .formatted(sha256);
  }

  @Test
  void its_pages_are_where_they_were() throws IOException {
    CaptureFolder capture = CaptureFolder.open(folder);
    try (PhysicalMemory memory = new PhysicalMemory()) {
      capture.load(memory);
      assertThat(memory.readInt(0x80001000L)).isEqualTo(0x01010101);
      assertThat(memory.readInt(0x80002ffcL)).isEqualTo(0x02020202);
      assertThat(memory.readInt(0x800ffffcL)).isEqualTo(0x03030303);
      assertThat(memory.readInt(0x80000000L)).isZero();
      assertThat(memory.status(0x80100000L, 1, false)).isEqualTo(PhysicalMemory.VIOLATION);
    }
  }

  @Test
  void registers_are_words_and_four_byte_reads_count_before_eight_byte_ones() throws IOException {
    RegisterImage unit = CaptureFolder.open(folder).units().getFirst();
    assertThat(unit.name()).isEqualTo("unit0");
    assertThat(unit.base()).isEqualTo(0x3010000);
    assertThat(unit.words()).isEqualTo(Map.of(0, 0x10, 4, 0x20, 8, 0x33, 12, 0x44));
  }

  @Test
  void an_unpacked_image_serves_too() throws IOException {
    Files.delete(folder.resolve("memory.img.gz"));
    Files.write(folder.resolve("memory.img"), image);
    its_pages_are_where_they_were();
  }

  @Test
  void a_missing_file_is_named() throws IOException {
    Files.delete(folder.resolve("memory.json"));
    refused("memory.json: is missing");
    Files.delete(folder.resolve("regs.json"));
    refused("regs.json: is missing");
  }

  @Test
  void a_missing_image_is_named() throws IOException {
    Files.delete(folder.resolve("memory.img.gz"));
    refusedLoad("memory.img.gz: is missing");
  }

  @Test
  void a_short_image_is_told_from_a_whole_one() throws IOException {
    Files.write(folder.resolve("memory.img.gz"), gzip(Arrays.copyOf(image, 5000)));
    refusedLoad("ends after 5000 bytes, 12288 were expected");
    byte[] whole = gzip(image);
    Files.write(folder.resolve("memory.img.gz"), Arrays.copyOf(whole, whole.length - 12));
    refusedLoad("memory.img.gz: cannot be unpacked");
    Files.write(folder.resolve("memory.img.gz"), gzip(Arrays.copyOf(image, 4 * 4096)));
    refusedLoad("has more than the 12288 bytes");
  }

  @Test
  void a_changed_image_is_refused() throws IOException {
    image[77] ^= 1;
    Files.write(folder.resolve("memory.img.gz"), gzip(image));
    refusedLoad("memory.json says");
  }

  @Test
  void wrong_json_is_refused_with_the_place() throws IOException {
    write("regs.json", "[{\"name\":");
    refused("regs.json: unit is not JSON");
    write("regs.json", REGS.replace("\"base\"", "\"place\""));
    refused("regs.json: unit[0]: field 'base' is missing");
    write("regs.json", REGS.replace("\"size\":8", "\"size\":8,\"colour\":1"));
    refused("unknown field 'colour'");
    write("regs.json", REGS.replace("\"offset\":\"0x4\"", "\"offset\":\"0x5\""));
    refused("register at 0x5");
    write("regs.json", REGS.replace("\"offset\":\"0x8\"", "\"offset\":-1"));
    refused("regs.json: unit[0].regs[3]: field 'offset' has to be a number");
    write("regs.json", "{}");
    refused("regs.json: an array of objects was expected, found {}");
    write("memory.json", memory("").replace("\"pages\":3", "\"pages\":18446744073709551615"));
    write("regs.json", REGS);
    refused("field 'pages' is 18446744073709551615");
  }

  @Test
  void what_is_no_text_is_told_with_its_place() throws IOException {
    Files.write(folder.resolve("regs.json"), new byte[] {'[', (byte) 0xc3, '('});
    refused("regs.json: is not UTF-8 text: byte 1 is 0xc3; copy the capture folder again");
    Files.delete(folder.resolve("memory.json"));
    write("regs.json", REGS);
    Files.createDirectory(folder.resolve("memory.json"));
    refused("memory.json: is a folder, a file was expected; copy the capture folder again");
  }

  @Test
  void an_empty_image_is_told_in_words() throws IOException {
    Files.write(folder.resolve("memory.img.gz"), new byte[0]);
    refusedLoad("cannot be unpacked after 0 of 12288 bytes (the file ends early)");
  }

  @Test
  void extents_have_to_lie_in_memory_and_follow_each_other() throws Exception {
    String good = memory(sha256(image));
    write("memory.json", good.replace("0x800ff000", "0x80100000"));
    refused("extent at 0x80100000");
    write("memory.json", good.replace("8192", "4096"));
    refused("has to begin where the one before it ends");
    write("memory.json", good.replace("\"pages\":3", "\"pages\":4"));
    refused("field 'pages' is 4, but the extents have 3");
  }

  @Test
  void a_unit_that_no_architecture_knows_is_named() {
    RegisterImage unit = new RegisterImage("toaster0", 0, Map.of());
    assertThatThrownBy(() -> CaptureFolder.architecture(unit, List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'toaster0'");
  }

  private void refused(String part) {
    assertThatThrownBy(() -> CaptureFolder.open(folder))
        .isInstanceOf(CaptureException.class)
        .hasMessageContaining(part);
  }

  private void refusedLoad(String part) throws IOException {
    CaptureFolder capture = CaptureFolder.open(folder);
    try (PhysicalMemory memory = new PhysicalMemory()) {
      assertThatThrownBy(() -> capture.load(memory))
          .isInstanceOf(CaptureException.class)
          .hasMessageContaining(part);
    }
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream packed = new GZIPOutputStream(out)) {
      packed.write(bytes);
    }
    return out.toByteArray();
  }
}
