package org.iommu4j.core.bits;

import java.util.List;

/**
 * One register, declared as data.
 *
 * @param name the specification's name
 * @param offset byte offset in the register page
 * @param width bytes: 4 or 8
 * @param fields its fields, in the specification's order; bits of no field are reserved
 */
public record Register(String name, int offset, int width, List<Field> fields) {

  /** Checks width, alignment and overlap: a wrong declaration must not survive class loading. */
  public Register {
    fields = List.copyOf(fields);
    if ((width != 4 && width != 8) || offset < 0 || offset % width != 0) {
      throw new IllegalArgumentException(
          name + ": width " + width + " at offset 0x" + Integer.toHexString(offset));
    }
    long seen = 0;
    for (Field f : fields) {
      if ((seen & f.mask()) != 0 || f.hi() >= width * 8) {
        throw new IllegalArgumentException(name + "." + f.name() + " overlaps or is too high");
      }
      seen |= f.mask();
    }
  }

  /** A 4-byte register. */
  public static Register of32(String name, int offset, Field... fields) {
    return new Register(name, offset, 4, List.of(fields));
  }

  /** An 8-byte register. */
  public static Register of64(String name, int offset, Field... fields) {
    return new Register(name, offset, 8, List.of(fields));
  }

  /** Ones at every bit of the given kind. */
  public long mask(Field.Kind kind) {
    long m = 0;
    for (Field f : fields) {
      if (f.kind() == kind) {
        m |= f.mask();
      }
    }
    return m;
  }

  /** The register's fields as a {@link Layout}, for decoders. */
  public Layout layout() {
    return new Layout(name, "", List.of(fields));
  }
}
