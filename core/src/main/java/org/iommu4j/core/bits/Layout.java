package org.iommu4j.core.bits;

import java.util.ArrayList;
import java.util.List;

/**
 * One in-memory structure or register, declared as data: its name and, per 64-bit word, the fields
 * in the specification's order.
 *
 * <p>Decoders, dumps and tests read this list; the model uses the {@link Field} constants directly.
 *
 * @param name the specification's name of the structure
 * @param source document and section
 * @param words the fields of each 64-bit word, lowest address first
 */
public record Layout(String name, String source, List<List<Field>> words) {

  /** Copies the lists. */
  public Layout {
    words = words.stream().map(List::copyOf).toList();
  }

  /** A structure of one 64-bit word. */
  public static Layout of(String name, String source, Field... fields) {
    return new Layout(name, source, List.of(List.of(fields)));
  }

  /** This structure followed by one more 64-bit word. */
  public Layout then(Field... fields) {
    List<List<Field>> all = new ArrayList<>(words);
    all.add(List.of(fields));
    return new Layout(name, source, all);
  }

  /** A field's value in a structure read from memory. */
  public record Value(Field field, int word, long value) {}

  /**
   * Every declared field with its value, reserved fields only when they are not 0.
   *
   * @param raw the 64-bit words; missing words are left out
   */
  public List<Value> decode(long... raw) {
    List<Value> values = new ArrayList<>();
    for (int w = 0; w < Math.min(raw.length, words.size()); w++) {
      for (Field f : words.get(w)) {
        long v = f.get(raw[w]);
        if (v != 0 || (f.kind() != Field.Kind.RESERVED && f.kind() != Field.Kind.IGNORED)) {
          values.add(new Value(f, w, v));
        }
      }
    }
    return values;
  }

  /** Ones at every reserved bit of word {@code w}. */
  public long reservedMask(int w) {
    long mask = 0;
    for (Field f : words.get(w)) {
      if (f.kind() == Field.Kind.RESERVED) {
        mask |= f.mask();
      }
    }
    return mask;
  }
}
