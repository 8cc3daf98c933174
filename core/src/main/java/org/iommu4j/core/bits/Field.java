package org.iommu4j.core.bits;

import java.util.HashMap;
import java.util.Map;

/**
 * Bits {@code hi:lo} of a 64-bit word, under the specification's own name.
 *
 * <p>Always held in a {@code static final} constant: then every operation below folds to an AND and
 * a shift, as fast as literal masks. One declaration drives the model, the driver, the decoders and
 * the tests.
 *
 * <pre>{@code
 * static final Field PPN = Field.bits("PPN", 53, 10);
 * long table = PPN.get(entry) << 12;
 * }</pre>
 *
 * @param name the specification's term, in its spelling
 * @param hi highest bit, 0..63
 * @param lo lowest bit, 0..hi
 * @param kind what a software write does to the bits
 * @param meanings what values stand for, in a word or two, where they are codes
 */
public record Field(String name, int hi, int lo, Kind kind, Map<Long, String> meanings) {

  /** What a write by software does to the bits of a field. */
  public enum Kind {
    /** Keeps what was written. */
    RW,
    /** Ignores writes; only the hardware changes it. */
    RO,
    /** Writing 1 clears, writing 0 keeps. */
    RW1C,
    /** Writing 1 sets, writing 0 keeps; the hardware clears. */
    RW1S,
    /** Any value may be written, a legal one is read back; the register's rule decides. */
    WARL,
    /** Written by software, reads as 0. */
    WO,
    /** Reserved: reads as 0, writes are ignored, must be 0 in memory structures. */
    RESERVED,
    /** Reserved or left to software, and never looked at by the hardware. */
    IGNORED
  }

  /** Checks the bit range, and copies the map. */
  public Field {
    meanings = Map.copyOf(meanings);
    if (lo < 0 || hi < lo || hi > 63) {
      throw new IllegalArgumentException(name + ": bits " + hi + ":" + lo + " are not within 63:0");
    }
  }

  /** A field whose values are numbers. */
  public Field(String name, int hi, int lo, Kind kind) {
    this(name, hi, lo, kind, Map.of());
  }

  /** A read-write field of bits {@code hi:lo}. */
  public static Field bits(String name, int hi, int lo) {
    return new Field(name, hi, lo, Kind.RW);
  }

  /** A read-write field of one bit. */
  public static Field bit(String name, int at) {
    return new Field(name, at, at, Kind.RW);
  }

  /** Reserved bits {@code hi:lo}. */
  public static Field reserved(int hi, int lo) {
    return new Field("reserved", hi, lo, Kind.RESERVED);
  }

  /** The same bits with another kind. */
  public Field as(Kind other) {
    return new Field(name, hi, lo, other, meanings);
  }

  /** The same bits under a longer name, where several words of a structure have such a field. */
  public Field named(String other) {
    return new Field(other, hi, lo, kind, meanings);
  }

  /** The same with a value that stands for something. */
  public Field means(long value, String words) {
    Map<Long, String> all = new HashMap<>(meanings);
    all.put(value, words);
    return new Field(name, hi, lo, kind, all);
  }

  /** What a value of this field stands for; empty if it is a number. */
  public String meaning(long value) {
    return meanings.getOrDefault(value, "");
  }

  /** Number of bits, 1..64. */
  public int width() {
    return hi - lo + 1;
  }

  /** Ones at the field's bits, zeroes elsewhere. */
  public long mask() {
    return (-1L >>> (63 - hi)) & (-1L << lo);
  }

  /** The field's value, shifted down to bit 0. */
  public long get(long word) {
    return (word & mask()) >>> lo;
  }

  /** The field's value as an int, for fields of at most 31 bits. */
  public int getInt(long word) {
    return (int) ((word & mask()) >>> lo);
  }

  /** The field's bits where they stand; 0 if the field is 0. */
  public long in(long word) {
    return word & mask();
  }

  /** Whether any bit of the field is 1. */
  public boolean isSet(long word) {
    return (word & mask()) != 0;
  }

  /** {@code word} with the field replaced by the low bits of {@code value}. */
  public long set(long word, long value) {
    return (word & ~mask()) | ((value << lo) & mask());
  }

  /** The low bits of {@code value} at the field's place, all else 0. */
  public long of(long value) {
    return (value << lo) & mask();
  }
}
