package org.iommu4j.bench;

/** Bytes read as a program: numbers of any kind, zeroes after the end. */
final class Tape {
  private final byte[] bytes;
  private int at;

  Tape(byte[] bytes) {
    this.bytes = bytes;
  }

  boolean atEnd() {
    return at >= bytes.length;
  }

  int u8() {
    return at < bytes.length ? bytes[at++] & 0xff : 0;
  }

  int u16() {
    return u8() | u8() << 8;
  }

  int i32() {
    return u16() | u16() << 16;
  }

  long i64() {
    return (i32() & 0xffff_ffffL) | (long) i32() << 32;
  }

  int below(int limit) {
    return u8() % limit;
  }

  boolean flag() {
    return (u8() & 1) != 0;
  }

  /** One of the given values. */
  long one(long... values) {
    return values[below(values.length)];
  }
}
