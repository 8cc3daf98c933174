package org.iommu4j.vtd.oracle;

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

  /** For people: what fails. */
  public String failures() {
    StringBuilder text = new StringBuilder();
    for (Failing f : failing) {
      text.append(
          "0x%x..0x%x fails%s%s%n"
              .formatted(f.first, f.last, f.reads ? " reads" : "", f.writes ? " writes" : ""));
    }
    return text.toString();
  }

  public byte[] bytes() {
    return bytes;
  }
}
