package org.iommu4j.riscv.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A random machine: registers, a device directory, contexts, page tables of both stages and MSI
 * tables, mostly right, in an image of memory.
 */
public final class World {
  public static final long BASE = 0x8000_0000L;
  public static final int BYTES = 1 << 20;

  /** What version 1.0 can have at most. */
  private static final long EVERYTHING = 0xff8_efef_cf10L;

  /** Capabilities that may be missing without taking all the fun away. */
  private static final int[] OPTIONAL = {
    8, 10, 11, 14, 15, 16, 18, 19, 22, 23, 24, 25, 26, 27, 39, 40, 41
  };

  final RandomGenerator random;
  public final Machine machine;
  public final Image image;
  private final List<Word> words = new ArrayList<>();
  private final List<Guest> guests = new ArrayList<>();
  private long next = BASE;

  public World(RandomGenerator random) {
    this.random = random;
    long caps = EVERYTHING;
    for (int bit : OPTIONAL) {
      if (chance(0.1)) {
        caps &= ~(1L << bit);
      }
    }
    int physical = pick(56, 56, 46, 40, 34);
    caps = caps & ~(0x3fL << 32) | (long) physical << 32;
    boolean end = (caps >>> 27 & 1) != 0;
    boolean gxl = (caps >>> 16 & 1) != 0 && chance(0.2);
    Machine m =
        new Machine(caps, chance(0.3), gxl, end && chance(0.8), chance(0.7), pick(2, 3, 4), 0);
    image = new Image(BASE, new byte[BYTES], physical);
    machine = m.with(m.mode(), pages(1));
    for (int i = 0; i < 2; i++) {
      guests.add(new Guest(this, i));
    }
    if (chance(0.3)) {
      damage();
    }
  }

  // ---- what the builders use

  boolean chance(double p) {
    return random.nextDouble() < p;
  }

  int pick(int... values) {
    return values[random.nextInt(values.length)];
  }

  <T> T pick(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }

  /** Zero pages, aligned to their number. */
  long pages(int count) {
    long size = 4096L * count;
    next = (next + size - 1) & -size;
    long at = next;
    next += size;
    if (next > BASE + BYTES) {
      throw new IllegalStateException("the image is full");
    }
    return at;
  }

  void note(Word word) {
    words.add(word);
  }

  /** A word of a structure of the unit. */
  void put(long at, long value, boolean bigEndian, int kind) {
    image.store(at, 8, value, bigEndian);
    note(new Word(at, 8, bigEndian, kind));
  }

  /** The place of a device's context. */
  long context(int did) {
    int leafBits = machine.msiFlat() ? 6 : 7;
    long table = machine.root();
    for (int l = machine.mode() - 2; l > 0; l--) {
      long at = table + 8L * (l == 2 ? did >>> (leafBits + 9) : did >>> leafBits & 0x1ff);
      long entry = image.load(at, 8, machine.be());
      if (entry == 0) {
        entry = pages(1) >>> 12 << 10 | 1;
        put(at, entry, machine.be(), Word.POINTER);
      }
      table = entry >>> 10 << 12;
    }
    return table + (long) (did & ((1 << leafBits) - 1)) * (machine.msiFlat() ? 64 : 32);
  }

  /** A device id that fits the directory, in a part of it that belongs to the guest alone. */
  int did(int guest) {
    int leafBits = machine.msiFlat() ? 6 : 7;
    int bits = machine.mode() == 2 ? leafBits : machine.mode() == 3 ? leafBits + 9 : 24;
    return random.nextInt(1 << bits) & ~1 | guest;
  }

  /** Flags of a leaf: mostly all that is needed, sometimes not. */
  long flags(boolean user, boolean wide, int level, boolean hardwareUpdates) {
    long e = Stages.V | Stages.R | Stages.W | Stages.X | Stages.A | Stages.D;
    if (user) {
      e |= Stages.U;
    }
    for (int bit = 1; bit <= 7; bit++) {
      if (chance(0.08)) {
        e ^= 1L << bit;
      }
    }
    if (chance(0.2)) {
      e |= Stages.G;
    }
    e |= (long) random.nextInt(4) << 8;
    if (!wide) {
      return e;
    }
    if (chance(0.2)) {
      e |= (long) pick(1, 1, 2, 2, 3) << 61;
    }
    if (chance(0.1)) {
      e |= (long) random.nextInt(4) << 59;
    }
    if (chance(level == 0 ? 0.2 : 0.03)) {
      e |= 1L << 63;
      if (hardwareUpdates) {
        // Hardware may set the bits of any of the 16 entries.
        e |= Stages.A | Stages.D;
      }
    }
    if (chance(0.03)) {
      e |= 1L << random.nextInt(54, 59);
    }
    return e;
  }

  /** A page number for a leaf, aligned for its level with few exceptions. */
  long leafPage(long address, int shift, long flags) {
    long page = address >>> shift << (shift - 12);
    if (flags < 0 && shift == 12) {
      return chance(0.9) ? page & ~0xfL | 8 : page;
    }
    return shift > 12 && chance(0.06) ? page | 1L << random.nextInt(shift - 12) : page;
  }

  // ---- what the test uses

  /** Flips a few bits of what was built, or makes a few words fail. */
  public void damage() {
    for (int n = random.nextInt(1, 6); n > 0; n--) {
      Word w = pick(words);
      int bit = random.nextInt(8 * w.size());
      if (w.mayFlip(bit)) {
        long value = image.load(w.at(), w.size(), w.bigEndian());
        image.store(w.at(), w.size(), value ^ 1L << bit, w.bigEndian());
      }
    }
  }

  /** One word that fails from now on: address and kind, 0 access, 1 write, 2 poison. */
  public record Failing(long at, int kind) {}

  public Failing failing() {
    Word w = pick(words);
    while (w.kind() == Word.FIXED) {
      w = pick(words); // one of 16 alike entries: caches may have it from another
    }
    Failing f = new Failing(w.at() & ~7L, random.nextInt(3));
    switch (f.kind) {
      case 0 -> image.failAccess(f.at, 8);
      case 1 -> image.failWrite(f.at, 8);
      default -> image.poison(f.at, 8);
    }
    return f;
  }

  /** The GSCIDs that the contexts hold now. */
  public List<Integer> gscids() {
    return guests.stream().map(Guest::gscid).toList();
  }

  /** A request that has a good chance to find something. */
  public Ask ask() {
    return pick(guests).ask();
  }

  @Override
  public String toString() {
    return machine + " " + guests;
  }
}
