package org.iommu4j.riscv.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.iommu4j.core.FormatException;
import org.iommu4j.core.testing.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RimtTest {
  /** Of a virt machine of QEMU 11.1.2, as its kernel found it. */
  private static byte[] captured() throws IOException {
    return Files.readAllBytes(Path.of("../conformance/captures/riscv-sys/acpi/RIMT.aml"));
  }

  /** One of everything. */
  private static Rimt all() {
    return Rimt.of(
        List.of(
            new RimtNode.Iommu(
                7,
                "RSCV0004",
                0x301_0000,
                2,
                3,
                0,
                0,
                List.of(new RimtNode.Wire(33, 1), new RimtNode.Wire(34, 3))),
            new RimtNode.Iommu(8, "00100014", 0, 1, 0, 1, 0x08, List.of()),
            new RimtNode.RootComplex(
                9,
                3,
                1,
                List.of(
                    new IdMapping(0, 0x08, 0x1_0000, 1, 0),
                    new IdMapping(0x09, 0xfff7, 0x1_0009, 1, 3))),
            new RimtNode.PlatformDevice(10, "\\_SB.DEV0", List.of(new IdMapping(0, 1, 0x42, 0, 1))),
            new RimtNode.PlatformDevice(11, "\\_SB.DEV", List.of()),
            new RimtNode.Other(9, 2, 12, new byte[] {1, 2, 3, 4})));
  }

  @Test
  void a_captured_table_is_read_and_written_byte_for_byte() throws IOException {
    byte[] bytes = captured();
    Rimt rimt = Rimt.parse(bytes);
    assertThat(rimt.toBytes()).isEqualTo(bytes);
    assertThat(rimt.header().oemId()).isEqualTo("BOCHS ");
    assertThat(rimt.nodes())
        .containsExactly(
            new RimtNode.Iommu(0, "RSCV0004", 0x301_0000, 0, 0, 0, 0, List.of()),
            new RimtNode.RootComplex(1, 0, 0, List.of(new IdMapping(0, 0x1_0000, 0, 0, 0))));
    assertThat(rimt.lookup(0, 0x30))
        .hasValueSatisfying(t -> assertThat(t.deviceId()).isEqualTo(0x30))
        .hasValueSatisfying(t -> assertThat(t.iommu().base()).isEqualTo(0x301_0000));
    assertThat(rimt.lookup(1, 0x30)).isEmpty();
  }

  @Test
  void every_kind_of_node_survives_the_way_to_bytes_and_back() throws IOException {
    Rimt rimt = all();
    byte[] bytes = rimt.toBytes();
    assertThat(Rimt.parse(bytes)).isEqualTo(rimt);
    assertThat(Rimt.parse(bytes).toBytes()).isEqualTo(bytes);
  }

  @Test
  void ids_are_mapped_to_the_last_one_and_not_beyond() {
    Rimt rimt = all();
    assertThat(rimt.lookup(1, 7))
        .hasValueSatisfying(t -> assertThat(t.deviceId()).isEqualTo(0x1_0007));
    assertThat(rimt.lookup(1, 8)).as("the unit itself").isEmpty();
    assertThat(rimt.lookup(1, 9)).hasValueSatisfying(t -> assertThat(t.iommu().id()).isEqualTo(8));
    assertThat(rimt.lookup(1, 0xffff)).isPresent();
    assertThat(rimt.lookup(1, 0x1_0000)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    // offset, bytes, value, place, reason
    "0x00, 1, 0x44, 0x0, the signature is 'DIMT'",
    "0x04, 4, 0x7f, 0x9, the checksum is wrong",
    "0x04, 4, 0x1000, 0x4, 'the length is 4096, there are 128 bytes'",
    "0x04, 4, 0x10, 0x4, the length is 16",
    "0x08, 1, 2, 0x8, 'revision 2, known is 1'",
    "0x24, 4, 3, 0x24, '3 nodes are announced, 2 are there'",
    "0x24, 4, 0xffffffff, 0x24, '4294967295 nodes are announced, 2 are there'",
    "0x28, 4, 0x10, 0x28, 'nodes start at 0x10, within the header'",
    "0x28, 4, 0x7c, 0x7c, a node's header of 8 bytes ends beyond",
    "0x31, 1, 9, 0x31, 'revision 9, known is 1'",
    "0x32, 2, 0, 0x32, a node of 0 bytes has no header",
    "0x32, 2, 0x1000, 0x30, a node of 4096 bytes ends beyond",
    "0x5a, 2, 0x10, 0x5a, 'a root complex node of 16 bytes, needed are 20'",
    "0x40, 8, 0x3010800, 0x40, not page aligned",
    "0x54, 2, 1, 0x56, an array of 8 bytes at 0x28 is not within 0x28..0x28 of its node",
    "0x5e, 2, 0, 0x5e, 'id 0 is that of the node at 0x30, too'",
    "0x68, 2, 0x10, 0x68, an array of 20 bytes at 0x10 is not within",
    "0x6a, 2, 2, 0x68, an array of 40 bytes",
    "0x78, 4, 0x58, 0x78, the destination 0x58 is not the start of an IOMMU node",
    "0x78, 4, 0, 0x78, the destination 0x0 is not the start",
  })
  void what_is_wrong_is_said_with_its_place(
      String offset, int size, String value, String place, String reason) throws IOException {
    byte[] bytes = captured();
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int at = Integer.decode(offset);
    long v = Long.decode(value);
    switch (size) {
      case 1 -> b.put(at, (byte) v);
      case 2 -> b.putShort(at, (short) v);
      case 4 -> b.putInt(at, (int) v);
      default -> b.putLong(at, v);
    }
    if (!reason.contains("checksum")) {
      correctChecksum(bytes);
    }
    assertThatThrownBy(() -> Rimt.parse(bytes))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("RIMT, offset " + place + ": ")
        .hasMessageContaining(reason)
        .extracting(e -> ((FormatException) e).offset())
        .isEqualTo(Long.decode(place));
  }

  private static void correctChecksum(byte[] bytes) {
    bytes[9] = 0;
    int sum = 0;
    for (byte x : bytes) {
      sum += x;
    }
    bytes[9] = (byte) -sum;
  }

  @Test
  void a_table_cut_short_anywhere_is_an_error_and_nothing_else() throws IOException {
    byte[] bytes = all().toBytes();
    for (int n = 0; n < bytes.length; n++) {
      byte[] less = java.util.Arrays.copyOf(bytes, n);
      assertThatThrownBy(() -> Rimt.parse(less)).isInstanceOf(FormatException.class);
    }
  }

  @Test
  void any_change_is_read_or_refused_and_nothing_else() {
    byte[] bytes = all().toBytes();
    Property.<int[]>of(
            "RIMT with changes",
            20_000,
            random -> random.ints(random.nextInt(1, 8), 0, Integer.MAX_VALUE).toArray())
        .holdsForEach(
            changes -> {
              byte[] changed = bytes.clone();
              for (int c : changes) {
                changed[c % changed.length] = (byte) (c >>> 16);
              }
              correctChecksum(changed);
              try {
                Rimt rimt = Rimt.parse(changed);
                assertThat(Rimt.parse(rimt.toBytes())).isEqualTo(rimt);
              } catch (FormatException e) {
                assertThat(e.offset()).isBetween(0L, 0xffff_ffffL);
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
  }

  @Test
  void a_mapping_to_no_iommu_is_a_mistake_of_the_program() {
    RimtNode rc = new RimtNode.RootComplex(1, 0, 0, List.of(new IdMapping(0, 1, 0, 0, 0)));
    assertThatThrownBy(() -> Rimt.of(List.of(rc)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no IOMMU");
  }

  @Test
  void a_node_that_is_too_long_for_its_length_is_not_written() {
    RimtNode unit = new RimtNode.Iommu(0, "RSCV0004", 0x1000, 0, 0, 0, 0, List.of());
    for (int count : new int[] {3_275, 3_276}) {
      List<IdMapping> mappings = Collections.nCopies(count, new IdMapping(0, 1, 0, 0, 0));
      Rimt rimt = Rimt.of(List.of(unit, new RimtNode.RootComplex(1, 0, 0, mappings)));
      if (20 + 20 * count <= 0xffff) {
        assertThat(rimt.toBytes()).hasSizeGreaterThan(20 * count);
      } else {
        assertThatThrownBy(rimt::toBytes)
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("at most 65535");
      }
    }
  }
}
