package org.iommu4j.core.acpi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes an ACPI table, little-endian; {@link #finish} puts length and checksum in. */
public final class TableWriter {
  private ByteBuffer bytes = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);

  /** A table that starts with this header. */
  public TableWriter(AcpiHeader header) {
    text(header.signature(), 4)
        .u32(0)
        .u8(header.revision())
        .u8(0)
        .text(header.oemId(), 6)
        .text(header.oemTableId(), 8)
        .u32(header.oemRevision())
        .text(header.creatorId(), 4)
        .u32(header.creatorRevision());
  }

  private TableWriter() {}

  /** Structures without a header; {@link #toBytes} gives them. */
  public static TableWriter ofBuffer() {
    return new TableWriter();
  }

  private ByteBuffer room(int size) {
    if (bytes.remaining() < size) {
      bytes =
          ByteBuffer.wrap(Arrays.copyOf(bytes.array(), 2 * bytes.capacity() + size))
              .order(ByteOrder.LITTLE_ENDIAN)
              .position(bytes.position());
    }
    return bytes;
  }

  /** Where the next byte goes. */
  public int position() {
    return bytes.position();
  }

  /** One byte. */
  public TableWriter u8(int value) {
    room(1).put((byte) value);
    return this;
  }

  /** Two bytes. */
  public TableWriter u16(int value) {
    room(2).putShort((short) value);
    return this;
  }

  /** Four bytes. */
  public TableWriter u32(long value) {
    room(4).putInt((int) value);
    return this;
  }

  /** Eight bytes. */
  public TableWriter u64(long value) {
    room(8).putLong(value);
    return this;
  }

  /** Characters in a field of fixed size, filled up with zeroes. */
  public TableWriter text(String value, int size) {
    byte[] raw = value.getBytes(StandardCharsets.ISO_8859_1);
    if (raw.length > size) {
      throw new IllegalArgumentException("'" + value + "' is longer than " + size);
    }
    return bytes(Arrays.copyOf(raw, size));
  }

  /** Raw bytes. */
  public TableWriter bytes(byte[] value) {
    room(value.length).put(value);
    return this;
  }

  /** Replaces two bytes written before: a length or an offset that is known only now. */
  public TableWriter u16At(int offset, int value) {
    bytes.putShort(offset, (short) value);
    return this;
  }

  /** Replaces four bytes written before. */
  public TableWriter u32At(int offset, long value) {
    bytes.putInt(offset, (int) value);
    return this;
  }

  /** What was written so far, as it is. */
  public byte[] toBytes() {
    return Arrays.copyOf(bytes.array(), position());
  }

  /** The table, complete. */
  public byte[] finish() {
    u32At(4, position());
    byte[] table = toBytes();
    int sum = 0;
    for (byte b : table) {
      sum += b;
    }
    table[9] = (byte) -sum;
    return table;
  }
}
