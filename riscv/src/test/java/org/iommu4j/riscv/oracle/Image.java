package org.iommu4j.riscv.oracle;

import java.util.ArrayList;
import java.util.List;

/** The oracle's own copy of memory: one range of bytes, and what of it fails. */
public final class Image {
  /** How an access ends. */
  public enum Status {
    OK,
    VIOLATION,
    POISONED
  }

  private record Failing(long first, long last, boolean reads, boolean writes, boolean poison) {}

  private final long base;
  private final byte[] bytes;
  private final int physicalBits;
  private final List<Failing> failing = new ArrayList<>();

  public Image(long base, byte[] bytes, int physicalBits) {
    this.base = base;
    this.bytes = bytes;
    this.physicalBits = physicalBits;
  }

  public void failAccess(long pa, long length) {
    failing.add(new Failing(pa, pa + length - 1, true, true, false));
  }

  public void failWrite(long pa, long length) {
    failing.add(new Failing(pa, pa + length - 1, false, true, false));
  }

  public void poison(long pa, long length) {
    failing.add(new Failing(pa, pa + length - 1, false, false, true));
  }

  public void heal() {
    failing.clear();
  }

  Status status(long pa, int length, boolean write) {
    if (pa < base || pa + length > base + bytes.length || pa >>> physicalBits != 0) {
      return Status.VIOLATION;
    }
    boolean poisoned = false;
    for (Failing f : failing) {
      if (pa <= f.last && pa + length - 1 >= f.first) {
        if (write ? f.writes : f.reads) {
          return Status.VIOLATION;
        }
        poisoned |= f.poison && !write;
      }
    }
    return poisoned ? Status.POISONED : Status.OK;
  }

  /** The {@code length} bytes at {@code pa} as a number. */
  public long load(long pa, int length, boolean bigEndian) {
    long value = 0;
    for (int i = 0; i < length; i++) {
      int at = bigEndian ? i : length - 1 - i;
      value = value << 8 | (bytes[(int) (pa - base) + at] & 0xff);
    }
    return value;
  }

  public void store(long pa, int length, long value, boolean bigEndian) {
    for (int i = 0; i < length; i++) {
      int at = bigEndian ? length - 1 - i : i;
      bytes[(int) (pa - base) + at] = (byte) (value >>> (8 * i));
    }
  }

  public byte[] bytes() {
    return bytes;
  }

  public long base() {
    return base;
  }
}
