package org.iommu4j.amdvi.oracle;

import java.util.ArrayList;
import java.util.List;

/** The oracle's own copy of memory: one range of bytes, and what of it fails. */
public final class Image {
  private record Failing(long first, long last, boolean reads, boolean writes) {}

  private final long base;
  private final byte[] bytes;
  private final List<Failing> failing = new ArrayList<>();

  public Image(long base, byte[] bytes) {
    this.base = base;
    this.bytes = bytes;
  }

  /** Neither reads nor writes succeed. */
  public void failAccess(long pa, long length) {
    failing.add(new Failing(pa, pa + length - 1, true, true));
  }

  /** Writes do not succeed. */
  public void failWrite(long pa, long length) {
    failing.add(new Failing(pa, pa + length - 1, false, true));
  }

  /** Reads do not succeed. */
  public void poison(long pa, long length) {
    failing.add(new Failing(pa, pa + length - 1, true, false));
  }

  public void heal() {
    failing.clear();
  }

  boolean holds(long pa, int length) {
    return Long.compareUnsigned(pa, base) >= 0
        && Long.compareUnsigned(pa - base, bytes.length - length) <= 0;
  }

  boolean fails(long pa, int length, boolean write) {
    if (!holds(pa, length)) {
      return true;
    }
    for (Failing f : failing) {
      if (pa <= f.last && pa + length - 1 >= f.first && (write ? f.writes : f.reads)) {
        return true;
      }
    }
    return false;
  }

  /** Type of a hardware error: 1 nobody answers, 2 a write is refused, 3 the data is bad. */
  int why(long pa) {
    if (!holds(pa, 8)) {
      return 1;
    }
    for (Failing f : failing) {
      if (pa <= f.last && pa + 7 >= f.first) {
        return f.writes ? f.reads ? 1 : 2 : 3;
      }
    }
    throw new AssertionError("nothing fails there");
  }

  public long load(long pa) {
    long value = 0;
    for (int i = 7; i >= 0; i--) {
      value = value << 8 | (bytes[(int) (pa - base) + i] & 0xff);
    }
    return value;
  }

  public void store(long pa, long value) {
    for (int i = 0; i < 8; i++) {
      bytes[(int) (pa - base) + i] = (byte) (value >>> (8 * i));
    }
  }

  public byte[] bytes() {
    return bytes;
  }
}
