package org.iommu4j.core.bits;

import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The registers of one unit: what a read returns and what a write does to every bit follows from
 * the declarations, one place for all architectures.
 *
 * <p>Two verbs change a register: {@link #write} is software's (kinds, {@link Legal} and {@link
 * Effect} apply), {@link #post} is the hardware's own (only the value changes).
 *
 * <p>Access rules: aligned accesses of 4 and 8 bytes, and of 1 and 2 where the specification has
 * them. A write to a part of a register is merged with the rest and handled as a write of the
 * whole, in which the rest stays as it is: its write-1 bits do nothing. An 8-byte access to two
 * 4-byte registers is two accesses, low first. Anything else, and offsets without a register, reads
 * 0 and ignores writes. Not thread-safe: the owning model serialises.
 */
public final class RegisterFile {

  /** What sticks of a write to WARL fields; also the place to refuse a write as a whole. */
  @FunctionalInterface
  public interface Legal {
    /**
     * @param before the register before the write
     * @param written what the field kinds made of the written value
     * @return the new value of the register
     */
    long legalize(long before, long written);
  }

  /** What else a write causes in the model. */
  @FunctionalInterface
  public interface Effect {
    /**
     * @param before the register before the write
     * @param after its value now
     * @param written the raw value that software wrote
     */
    void written(long before, long after, long written);
  }

  /** What a read returns when the stored value is not the whole truth (a running counter). */
  @FunctionalInterface
  public interface Source {
    long read(long stored);
  }

  private static final class Slot {
    final Register register;
    final long rw;
    final long w1c;
    final long w1s;
    final long wo;
    long value;
    @Nullable Legal legal;
    @Nullable Effect effect;
    @Nullable Source source;

    Slot(Register register, long reset) {
      this.register = register;
      this.value = reset;
      this.rw =
          register.mask(Field.Kind.RW)
              | register.mask(Field.Kind.WARL)
              | register.mask(Field.Kind.WO);
      this.w1c = register.mask(Field.Kind.RW1C);
      this.w1s = register.mask(Field.Kind.RW1S);
      this.wo = register.mask(Field.Kind.WO);
    }
  }

  private final @Nullable Slot[] slots;
  private final int smallest;

  /** An empty register file of {@code bytes} bytes, a multiple of 4; accesses of 4 and 8 bytes. */
  public RegisterFile(int bytes) {
    this(bytes, 4);
  }

  /**
   * An empty register file.
   *
   * @param bytes its size, a multiple of 4
   * @param smallest bytes of the smallest access that is carried out: 1, 2 or 4
   */
  public RegisterFile(int bytes, int smallest) {
    slots = new Slot[bytes / 4];
    this.smallest = smallest;
  }

  /** Adds a register with its reset value, plain: no rule, no effect. */
  public void add(Register register, long reset) {
    add(register, reset, null, null, null);
  }

  /** Adds a register with its reset value, a WARL rule, an effect and a read source. */
  public void add(
      Register register,
      long reset,
      @Nullable Legal legal,
      @Nullable Effect effect,
      @Nullable Source source) {
    int at = register.offset() >> 2;
    if (slots[at] != null || (register.width() == 8 && slots[at + 1] != null)) {
      throw new IllegalArgumentException(register.name() + " overlaps another register");
    }
    Slot slot = new Slot(register, reset);
    slot.legal = legal;
    slot.effect = effect;
    slot.source = source;
    slots[at] = slot;
    if (register.width() == 8) {
      slots[at + 1] = slot;
    }
  }

  /** Whether this unit has the register. */
  public boolean has(Register register) {
    Slot s = slots[register.offset() >> 2];
    return s != null && s.register.equals(register);
  }

  /** The stored value, as the hardware sees it; 0 for an absent register. */
  public long get(Register register) {
    Slot s = slots[register.offset() >> 2];
    return s == null ? 0 : s.value;
  }

  /** A field of the stored value; 0 for an absent register. */
  public long get(Register register, Field field) {
    return field.get(get(register));
  }

  /** The hardware's own update of the whole register. */
  public void post(Register register, long value) {
    Slot s = slots[register.offset() >> 2];
    if (s != null) {
      s.value = value;
    }
  }

  /** The hardware's own update of one field. */
  public void post(Register register, Field field, long value) {
    Slot s = slots[register.offset() >> 2];
    if (s != null) {
      s.value = field.set(s.value, value);
    }
  }

  /** Software's read of {@code size} bytes; see the class comment for the access rules. */
  public long read(long offset, int size) {
    if (!accessible(offset, size)) {
      return 0;
    }
    Slot s = slots[(int) offset >> 2];
    if (size == 8) {
      if (s != null && s.register.width() == 8) {
        return load(s);
      }
      return (read(offset, 4) & 0xffff_ffffL) | read(offset + 4, 4) << 32;
    }
    return s == null ? 0 : load(s) >>> bit(s, offset) & ones(size);
  }

  /** Software's write of {@code size} bytes; see the class comment for the access rules. */
  public void write(long offset, int size, long value) {
    if (!accessible(offset, size)) {
      return;
    }
    Slot s = slots[(int) offset >> 2];
    if (size == 8) {
      if (s != null && s.register.width() == 8) {
        store(s, value);
      } else {
        write(offset, 4, value & 0xffff_ffffL);
        write(offset + 4, 4, value >>> 32);
      }
      return;
    }
    if (s == null) {
      return;
    }
    long written = ones(size) << bit(s, offset);
    long rest = size == s.register.width() ? 0 : rest(s) & ~written;
    store(s, rest | (value << bit(s, offset) & written));
  }

  /** The lowest bit of a register that an access at {@code offset} is about. */
  private static int bit(Slot s, long offset) {
    return (int) (offset - s.register.offset()) * 8;
  }

  private static long ones(int bytes) {
    return -1L >>> (64 - 8 * bytes);
  }

  /** The register as the part that is not written keeps it: its write-1 bits do nothing. */
  private static long rest(Slot s) {
    long now = s.source == null ? s.value : s.source.read(s.value);
    return now & ~(s.w1c | s.w1s);
  }

  private boolean accessible(long offset, int size) {
    return (size == 1 || size == 2 || size == 4 || size == 8)
        && size >= smallest
        && offset >= 0
        && (offset & (size - 1)) == 0
        && offset <= slots.length * 4L - size;
  }

  private static long load(Slot s) {
    long v = s.value & ~s.wo;
    return s.source == null ? v : s.source.read(v);
  }

  private static void store(Slot s, long v) {
    long before = s.value;
    long after = ((before & ~s.rw) | (v & (s.rw | s.w1s)) | (before & s.w1s)) & ~(v & s.w1c);
    s.value = s.legal == null ? after : s.legal.legalize(before, after);
    if (s.effect != null) {
      s.effect.written(before, s.value, v);
    }
  }

  /** The registers by offset. */
  public Collection<Register> registers() {
    Map<Integer, Register> all = new TreeMap<>();
    for (Slot s : slots) {
      if (s != null) {
        all.put(s.register.offset(), s.register);
      }
    }
    return all.values();
  }
}
