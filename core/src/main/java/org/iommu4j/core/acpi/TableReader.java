package org.iommu4j.core.acpi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.iommu4j.core.FormatException;

/**
 * Reads an ACPI table, little-endian, never beyond its end. Offsets count from the start of the
 * table, in errors as well.
 */
public final class TableReader {
  /** Of the table, or what the buffer is called. */
  private final String signature;

  private final ByteBuffer bytes;
  private final int length;

  /**
   * Checks length and checksum of a table.
   *
   * @param table the table; bytes beyond its own length are ignored
   * @param signature what it has to be, four characters
   * @throws FormatException if it is another table, or cut short, or changed on the way
   */
  public TableReader(byte[] table, String signature) throws FormatException {
    this.signature = signature;
    this.bytes = ByteBuffer.wrap(table.clone()).order(ByteOrder.LITTLE_ENDIAN);
    if (table.length < AcpiHeader.BYTES) {
      throw fail(
          0, "%d bytes are less than a header of %d".formatted(table.length, AcpiHeader.BYTES));
    }
    String found = new String(table, 0, 4, StandardCharsets.ISO_8859_1);
    if (!found.equals(signature)) {
      throw fail(
          0,
          "the signature is '%s', expected is '%s'"
              .formatted(found.replaceAll("[^ -~]", "?"), signature));
    }
    long announced = bytes.getInt(4) & 0xffff_ffffL;
    if (announced < AcpiHeader.BYTES || announced > table.length) {
      throw fail(
          4,
          "the length is %d, there are %d bytes; a length is at least %d and no more than there is:"
                  .formatted(announced, table.length, AcpiHeader.BYTES)
              + " take the whole table, from /sys/firmware/acpi/tables");
    }
    this.length = (int) announced;
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += table[i];
    }
    if ((sum & 0xff) != 0) {
      throw fail(
          9,
          "the checksum is wrong: all bytes add up to 0x%02x, not 0; something changed the table:"
                  .formatted(sum & 0xff)
              + " take it again, from /sys/firmware/acpi/tables");
    }
  }

  private TableReader(String name, byte[] buffer) {
    this.signature = name;
    this.bytes = ByteBuffer.wrap(buffer.clone()).order(ByteOrder.LITTLE_ENDIAN);
    this.length = buffer.length;
  }

  /**
   * Reads structures of a table that come without its header, as control methods return them.
   *
   * @param name for errors
   */
  public static TableReader ofBuffer(byte[] buffer, String name) {
    return new TableReader(name, buffer);
  }

  /** Bytes of the table. */
  public int length() {
    return length;
  }

  /** An error at a place of this table. */
  public FormatException fail(long offset, String reason) {
    return new FormatException(signature, offset, reason);
  }

  /**
   * Makes sure that a structure lies within the table.
   *
   * @param what its name, for the error
   */
  public void check(long offset, long size, String what) throws FormatException {
    if (offset < 0 || size < 0 || offset + size > length) {
      throw fail(offset, "%s of %d bytes ends beyond the table's %d".formatted(what, size, length));
    }
  }

  /** One byte. */
  public int u8(int offset) throws FormatException {
    check(offset, 1, "a field");
    return bytes.get(offset) & 0xff;
  }

  /** Two bytes. */
  public int u16(int offset) throws FormatException {
    check(offset, 2, "a field");
    return bytes.getShort(offset) & 0xffff;
  }

  /** Four bytes. */
  public long u32(int offset) throws FormatException {
    check(offset, 4, "a field");
    return bytes.getInt(offset) & 0xffff_ffffL;
  }

  /** Eight bytes. */
  public long u64(int offset) throws FormatException {
    check(offset, 8, "a field");
    return bytes.getLong(offset);
  }

  /** Characters, as they are. */
  public String text(int offset, int size) throws FormatException {
    return new String(bytes(offset, size), StandardCharsets.ISO_8859_1);
  }

  /** Raw bytes. */
  public byte[] bytes(int offset, int size) throws FormatException {
    check(offset, size, "a field");
    return Arrays.copyOfRange(bytes.array(), offset, offset + size);
  }
}
