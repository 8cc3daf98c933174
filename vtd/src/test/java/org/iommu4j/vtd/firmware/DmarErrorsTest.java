package org.iommu4j.vtd.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.iommu4j.core.FormatException;
import org.iommu4j.core.testing.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tables that are wrong somewhere, made of {@link Dmars#all}. */
class DmarErrorsTest {
  static Dmar parse(byte[] bytes) {
    try {
      return Dmar.parse(bytes);
    } catch (FormatException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void correctChecksum(byte[] bytes) {
    bytes[9] = 0;
    int sum = 0;
    for (byte x : bytes) {
      sum += x;
    }
    bytes[9] = (byte) -sum;
  }

  /** The structures start at 30 (48), 5a, 82, a2, b2, c6, dd, ed, fd; the table ends at 106. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        // offset, bytes, value, place, reason
        "0x00 | 1 | 0x45 | 0x0 | the signature is 'EMAR', expected is 'DMAR'",
        "0x09 | 1 | 0x00 | 0x9 | the checksum is wrong",
        "0x04 | 4 | 0x1000 | 0x4 | the length is 4096, there are 262 bytes",
        "0x04 | 4 | 0x10 | 0x4 | the length is 16",
        "0x04 | 4 | 0x2f | 0x4 | the table has 47 bytes, expected are at least 48",
        "0x08 | 1 | 0 | 0x8 | revision 0, expected is 1 or later",
        "0x24 | 1 | 10 | 0x24 | a host address width of 11 bits, expected are at least 12",
        "0x32 | 2 | 0 | 0x32 | a structure of 0 bytes, expected are at least 4",
        "0x32 | 2 | 3 | 0x32 | a structure of 3 bytes, expected are at least 4",
        "0x32 | 2 | 0x1000 | 0x32 | a structure of 4096 bytes, expected are at most the 214",
        "0x32 | 2 | 15 | 0x32 | a DRHD of 15 bytes, expected are at least 16",
        "0x38 | 8 | 0 | 0x38 | a unit's registers at 0",
        "0x41 | 1 | 0 | 0x41 | a device scope of 0 bytes, expected is an even number from 8 to the"
            + " 26",
        "0x41 | 1 | 6 | 0x41 | a device scope of 6 bytes",
        "0x41 | 1 | 9 | 0x41 | a device scope of 9 bytes",
        "0x41 | 1 | 0x1c | 0x41 | a device scope of 28 bytes",
        "0x51 | 1 | 12 | 0x51 | a device scope of 12 bytes, expected is an even number from 8 to"
            + " the 10",
        "0x32 | 2 | 0x29 | 0x51 | a device scope of 10 bytes, expected is an even number from 8 to"
            + " the 9",
        "0x32 | 2 | 0x21 | 0x50 | a device scope of 1 bytes",
        "0x84 | 2 | 23 | 0x84 | an RMRR of 23 bytes, expected are at least 24",
        "0xa4 | 2 | 7 | 0xa4 | an ATSR of 7 bytes, expected are at least 8",
        "0xb4 | 2 | 19 | 0xb4 | an RHSA of 19 bytes, expected are 20",
        "0xb4 | 2 | 24 | 0xb4 | an RHSA of 24 bytes, expected are 20",
        "0xc8 | 2 | 8 | 0xc8 | an ANDD of 8 bytes, expected are at least 9",
        "0xdc | 1 | 0x41 | 0xce | a path without an end",
        "0xdf | 2 | 5 | 0xdf | a SATC of 5 bytes",
        "0xef | 2 | 4 | 0xef | a SIDP of 4 bytes",
        "0xff | 2 | 8 | 0x105 | 1 bytes are left, a structure has at least 4",
        "0xff | 2 | 10 | 0xff | a structure of 10 bytes, expected are at most the 9 that are left",
      })
  void what_is_wrong_is_said_with_its_place(
      String offset, int size, String value, String place, String reason) {
    byte[] bytes = Dmars.all().toBytes();
    assertThat(bytes).hasSize(0x106);
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int at = Integer.decode(offset);
    long v = Long.decode(value);
    switch (size) {
      case 1 -> b.put(at, (byte) v);
      case 2 -> b.putShort(at, (short) v);
      case 4 -> b.putInt(at, (int) v);
      default -> b.putLong(at, v);
    }
    if (value.equals("0x2f")) {
      bytes = Arrays.copyOf(bytes, 0x2f);
    }
    if (!reason.contains("checksum")) {
      correctChecksum(bytes);
    }
    byte[] wrong = bytes;
    assertThatThrownBy(() -> Dmar.parse(wrong))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("DMAR, offset " + place + ": ")
        .hasMessageContaining(reason)
        .extracting(e -> ((FormatException) e).offset())
        .isEqualTo(Long.decode(place));
  }

  @Test
  void a_table_cut_short_anywhere_is_an_error_and_nothing_else() {
    byte[] bytes = Dmars.all().toBytes();
    for (int n = 0; n < bytes.length; n++) {
      byte[] less = Arrays.copyOf(bytes, n);
      assertThatThrownBy(() -> Dmar.parse(less)).isInstanceOf(FormatException.class);
    }
  }

  /** The header's length and checksum fit: only the structures can show that something lacks. */
  @Test
  void a_table_whose_content_ends_early_is_read_up_to_there_or_refused() {
    Dmar all = Dmars.all();
    byte[] bytes = all.toBytes();
    int read = 0;
    for (int n = 36; n < bytes.length; n++) {
      byte[] less = Arrays.copyOf(bytes, n);
      ByteBuffer.wrap(less).order(ByteOrder.LITTLE_ENDIAN).putInt(4, n);
      correctChecksum(less);
      try {
        Dmar some = Dmar.parse(less);
        assertThat(some.structures())
            .isEqualTo(all.structures().subList(0, some.structures().size()));
        read++;
      } catch (FormatException e) {
        assertThat(e.offset()).isBetween(0L, (long) n);
      }
    }
    assertThat(read).as("once at every end of a structure").isEqualTo(all.structures().size());
  }

  @Test
  void any_change_is_read_or_refused_and_nothing_else() {
    byte[] bytes = Dmars.all().toBytes();
    Property.<int[]>of(
            "DMAR with changes",
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
                Dmar dmar = Dmar.parse(changed);
                assertThat(dmar.warnings()).doesNotContainNull();
                assertThat(parse(dmar.toBytes())).isEqualTo(dmar);
              } catch (FormatException e) {
                assertThat(e.offset()).isBetween(0L, (long) bytes.length);
                assertThat(e).hasMessageMatching("DMAR, offset 0x[0-9a-f]+: .{20,}");
              }
            });
  }
}
