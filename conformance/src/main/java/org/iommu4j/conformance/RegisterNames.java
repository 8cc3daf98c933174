package org.iommu4j.conformance;

import java.util.List;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/** Tells how a register differs, by the names that its architecture declares. */
final class RegisterNames {
  private RegisterNames() {}

  /**
   * The whole value, then every field in which it differs.
   *
   * @param mask bits that count
   */
  static List<Difference> differences(
      Architecture architecture, long offset, int size, long expected, long actual, long mask) {
    Register register = null;
    for (Register r : architecture.registers()) {
      if (offset >= r.offset() && offset + size <= r.offset() + r.width()) {
        register = r;
      }
    }
    String at = Differences.hex(offset) + ", " + size + " bytes";
    String name = register == null ? "register at " + at : register.name() + " (" + at + ")";
    String note = mask == -1 ? "" : " (under mask " + Differences.hex(mask) + ")";
    Differences found = new Differences();
    found.add(name, Differences.hex(expected) + note, Differences.hex(actual & mask));
    if (register != null) {
      int shift = 8 * (int) (offset - register.offset());
      long wrong = ((expected ^ actual) & mask) << shift;
      for (Field f : register.fields()) {
        if ((wrong & f.mask()) != 0 && register.fields().size() > 1) {
          found.add(
              register.name() + "." + f.name(),
              number(f, expected << shift),
              number(f, (actual & mask) << shift));
        }
      }
    }
    return found.list();
  }

  private static String number(Field field, long word) {
    long value = field.get(word);
    return value >= 0 && value < 10 ? Long.toString(value) : Differences.hex(value);
  }
}
