package org.iommu4j.amdvi.firmware;

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

/** Tables that are wrong somewhere, made of {@link IvrsTables#all}. */
class IvrsErrorsTest {
  static Ivrs parse(byte[] bytes) {
    try {
      return Ivrs.parse(bytes);
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

  /**
   * The blocks start at 30 (48), 4c, 84, 131, 151, 171, 191; the table ends at 198. The entries of
   * the last unit start at ac, b0, b4, b8, bc, c4, cc, d4, d8, e0, e8, ec, f4, 10b, 129... and end
   * at 131.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        // offset, bytes, value, place, reason
        "0x00 | 1 | 0x45 | 0x0 | the signature is 'EVRS', expected is 'IVRS'",
        "0x09 | 1 | 0x00 | 0x9 | the checksum is wrong",
        "0x04 | 4 | 0x1000 | 0x4 | the length is 4096, there are",
        "0x04 | 4 | 0x10 | 0x4 | the length is 16",
        "0x04 | 4 | 0x2f | 0x4 | the table has 47 bytes, expected are at least 48",
        "0x32 | 2 | 0 | 0x32 | a block of 0 bytes, expected are at least 4",
        "0x32 | 2 | 3 | 0x32 | a block of 3 bytes, expected are at least 4",
        "0x32 | 2 | 0x1000 | 0x32 | a block of 4096 bytes, expected are at most the",
        "0x32 | 2 | 23 | 0x32 | an IVHD of type 10h of 23 bytes, expected are at least 24",
        "0x4e | 2 | 39 | 0x4e | an IVHD of type 11h of 39 bytes, expected are at least 40",
        "0x86 | 2 | 24 | 0x86 | an IVHD of type 40h of 24 bytes, expected are at least 40",
        "0x32 | 2 | 25 | 0x48 | a device entry of type 01h and 4 bytes, expected are at most the 1",
        "0x4e | 2 | 55 | 0x7c | a device entry of type 48h and 8 bytes, expected are at most the 7",
        "0xac | 1 | 0xf1 | 0xac | a device entry of type f1h, whose length no specification tells",
        "0xac | 1 | 0xff | 0xac | a device entry of type ffh, whose length no specification tells",
        "0x86 | 2 | 0x71 | 0xf4 | a device entry of type f0h and 22 bytes, expected are at most"
            + " the 1 that",
        "0x109 | 1 | 0xff | 0x109 | a device entry of type f0h and 277 bytes, expected are at most"
            + " the",
        "0x129 | 1 | 0x80 | 0x129 | a device entry of type 80h and 16 bytes, expected are at most"
            + " the 8",
        "0x129 | 1 | 0xc0 | 0x129 | a device entry of type c0h and 32 bytes, expected are at most"
            + " the 8",
        "0x133 | 2 | 31 | 0x133 | an IVMD of 31 bytes, expected are 32",
        "0x153 | 2 | 40 | 0x153 | an IVMD of 40 bytes, expected are 32",
        "0x193 | 2 | 4 | 0x195 | 3 bytes are left, a block has at least 4",
        "0x193 | 2 | 8 | 0x193 | a block of 8 bytes, expected are at most the 7 that are left",
      })
  void what_is_wrong_is_said_with_its_place(
      String offset, int size, String value, String place, String reason) {
    byte[] bytes = IvrsTables.all().toBytes();
    assertThat(bytes).hasSize(0x198);
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int at = Integer.decode(offset);
    long v = Long.decode(value);
    switch (size) {
      case 1 -> b.put(at, (byte) v);
      case 2 -> b.putShort(at, (short) v);
      default -> b.putInt(at, (int) v);
    }
    if (value.equals("0x2f")) {
      bytes = Arrays.copyOf(bytes, 0x2f);
    }
    if (!reason.contains("checksum")) {
      correctChecksum(bytes);
    }
    byte[] wrong = bytes;
    assertThatThrownBy(() -> Ivrs.parse(wrong))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("IVRS, offset " + place + ": ")
        .hasMessageContaining(reason)
        .extracting(e -> ((FormatException) e).offset())
        .isEqualTo(Long.decode(place));
  }

  @Test
  void a_table_cut_short_anywhere_is_an_error_and_nothing_else() {
    byte[] bytes = IvrsTables.all().toBytes();
    for (int n = 0; n < bytes.length; n++) {
      byte[] less = Arrays.copyOf(bytes, n);
      assertThatThrownBy(() -> Ivrs.parse(less)).isInstanceOf(FormatException.class);
    }
  }

  /** The header's length and checksum fit: only the blocks can show that something lacks. */
  @Test
  void a_table_whose_content_ends_early_is_read_up_to_there_or_refused() {
    Ivrs all = IvrsTables.all();
    byte[] bytes = all.toBytes();
    int read = 0;
    for (int n = 36; n < bytes.length; n++) {
      byte[] less = Arrays.copyOf(bytes, n);
      ByteBuffer.wrap(less).order(ByteOrder.LITTLE_ENDIAN).putInt(4, n);
      correctChecksum(less);
      try {
        Ivrs some = Ivrs.parse(less);
        assertThat(some.blocks()).isEqualTo(all.blocks().subList(0, some.blocks().size()));
        read++;
      } catch (FormatException e) {
        assertThat(e.offset()).isBetween(0L, (long) n);
      }
    }
    assertThat(read).as("once at every end of a block").isEqualTo(all.blocks().size());
  }

  /** The block's length fits as well: only the entries can show that something lacks. */
  @Test
  void a_block_whose_entries_end_early_is_read_up_to_there_or_refused() {
    IvrsBlock.Ivhd unit = IvrsTables.all().units().getFirst();
    byte[] bytes = Ivrs.of(0, java.util.List.of(unit)).toBytes();
    int read = 0;
    for (int n = 0x30 + 40; n < bytes.length; n++) {
      byte[] less = Arrays.copyOf(bytes, n);
      ByteBuffer.wrap(less)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putInt(4, n)
          .putShort(0x32, (short) (n - 0x30));
      correctChecksum(less);
      try {
        IvrsBlock.Ivhd some = Ivrs.parse(less).units().getFirst();
        assertThat(some.entries()).isEqualTo(unit.entries().subList(0, some.entries().size()));
        read++;
      } catch (FormatException e) {
        assertThat(e.offset()).isBetween(0x30L + 40, (long) n);
        assertThat(e).hasMessageContaining("a device entry of type").hasMessageEndingWith("initrd");
      }
    }
    assertThat(read).as("once at every end of an entry").isEqualTo(unit.entries().size());
  }

  @Test
  void any_change_is_read_or_refused_and_nothing_else() {
    byte[] bytes = IvrsTables.all().toBytes();
    Property.<int[]>of(
            "IVRS with changes",
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
                Ivrs ivrs = Ivrs.parse(changed);
                assertThat(ivrs.warnings()).doesNotContainNull();
                assertThat(parse(ivrs.toBytes())).isEqualTo(ivrs);
                ivrs.units().forEach(u -> assertThat(u.ranges()).allMatch(r -> r.size() > 0));
              } catch (FormatException e) {
                assertThat(e.offset()).isBetween(0L, (long) bytes.length);
                assertThat(e).hasMessageMatching("IVRS, offset 0x[0-9a-f]+: .{20,}");
              }
            });
  }
}
