package org.iommu4j.vtd.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A random machine: registers, a root table, contexts, PASID tables, page tables of both stages and
 * host permission tables, mostly right, in an image of memory.
 */
public final class World {
  public static final long BASE = 0x8000_0000L;
  public static final int BYTES = 1 << 20;

  final RandomGenerator random;
  public final Machine machine;
  public final Image image;
  private final List<Word> words = new ArrayList<>();
  private final List<Space> spaces = new ArrayList<>();
  private final List<Integer> sids = new ArrayList<>();
  private long next = BASE;
  private int domains;

  public World(RandomGenerator random) {
    this.random = random;
    image = new Image(BASE, new byte[BYTES]);
    Machine m = new Capabilities(this).machine();
    long root = pages(1);
    int ttm = m.smts() && chance(m.sagaw(1) || m.sagaw(2) || m.sagaw(3) ? 0.75 : 1) ? 1 : 0;
    int programmed = chance(0.03) ? random.nextInt(4) : ttm;
    boolean ssirwe = m.ecap(57) && chance(ttm == 1 ? 0.3 : 0.02);
    machine = m.with(!chance(0.03), root | (long) programmed << 10 | (ssirwe ? 1 << 7 : 0));
    int devices = random.nextInt(1, 4);
    for (int i = 0; i < devices; i++) {
      int bus = i == 1 && chance(0.5) ? sids.getFirst() >>> 8 : random.nextInt(256);
      int sid = bus << 8 | random.nextInt(256);
      if (!sids.contains(sid)) {
        sids.add(sid);
        if (ttm == 1) {
          new ScalableDevice(this, sid).build(spaces);
        } else {
          new LegacyDevice(this, sid).build(spaces);
        }
      }
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

  boolean room(int pages) {
    return next + 4096L * pages < BASE + BYTES;
  }

  /** A domain id that nothing else has. */
  int domain() {
    return ++domains;
  }

  /** A word of a structure of the unit. */
  void put(long at, long value, Word.Kind kind) {
    image.store(at, value);
    words.add(new Word(at, kind));
  }

  /** The page that the pointer at {@code at} names, made now if there is none. */
  long follow(long at, int count, long flags) {
    long entry = image.load(at);
    if (entry == 0) {
      entry = pages(count) | flags;
      put(at, entry, Word.Kind.POINTER);
    }
    return Machine.page(entry);
  }

  /** Flags of an entry that leads to another table. */
  long tableFlags(boolean first) {
    if (first) {
      long e = FirstStage.P | FirstStage.RW | FirstStage.US;
      e ^= chance(0.02) ? FirstStage.RW : chance(0.02) ? FirstStage.US : 0;
      return e | (chance(0.4) ? FirstStage.A : 0) | (chance(0.2) ? FirstStage.EA : 0) | ignored();
    }
    long e = SecondStage.R | SecondStage.W;
    e ^= chance(0.02) ? SecondStage.R : chance(0.02) ? SecondStage.W : 0;
    return permissions(e) | (chance(0.4) ? SecondStage.A : 0) | ignored();
  }

  /** Flags of a leaf: mostly all that is needed, sometimes not. */
  long leafFlags(boolean first, int level) {
    long ps = level > 1 ? FirstStage.PS : 0;
    if (first) {
      long e = ps | FirstStage.P | FirstStage.RW | FirstStage.US;
      e ^= chance(0.1) ? FirstStage.RW : chance(0.1) ? FirstStage.US : 0;
      e ^= chance(0.03) ? FirstStage.P : 0;
      return e
          | (chance(0.5) ? FirstStage.A : 0)
          | (chance(0.5) ? FirstStage.D : 0)
          | (chance(0.3) ? FirstStage.EA : 0)
          | ignored();
    }
    long e = SecondStage.R | SecondStage.W;
    e ^= chance(0.12) ? SecondStage.R : chance(0.12) ? SecondStage.W : 0;
    e = chance(0.03) ? 0 : e;
    return ps
        | permissions(e)
        | (chance(0.5) ? SecondStage.A : 0)
        | (chance(0.5) ? SecondStage.D : 0)
        | (machine.sc() && chance(0.3) ? SecondStage.SNP : 0)
        | ignored();
  }

  private long ignored() {
    return chance(0.2) ? (random.nextLong() & 0x1ff) << 52 : 0;
  }

  /** R and W where the unit looks for them, and anything where it does not. */
  private long permissions(long e) {
    if (machine == null || !machine.ssirwe()) {
      return e;
    }
    return (e & SecondStage.R) << 61 | (e & SecondStage.W) << 61 | random.nextInt(4);
  }

  /** A frame for a leaf of that size, rarely misaligned or in the interrupt range. */
  long frame(int shift) {
    long frame = random.nextLong(1L << machine.haw()) >>> shift << shift;
    if (chance(0.06)) {
      frame = 0xfee0_0000L + (shift == 12 ? random.nextInt(256) * 4096L : 0) >>> shift << shift;
    }
    return shift > 12 && chance(0.05) ? frame | 1L << random.nextInt(12, shift) : frame;
  }

  // ---- what the test uses

  /** Flips a few bits of what was built. */
  public void damage() {
    for (int n = random.nextInt(1, 6); n > 0; n--) {
      Word w = pick(words);
      int bit = chance(0.4) ? random.nextInt(12) : random.nextInt(64);
      if (w.mayFlip(bit)) {
        image.store(w.at(), image.load(w.at()) ^ 1L << bit);
      }
    }
  }

  /**
   * One cache line that fails from now on.
   *
   * @param kind 0 any access, 1 writes, 2 reads
   */
  public record Failing(long at, int kind) {}

  /** Makes a structure fail. */
  public Failing failing() {
    Failing f = new Failing(pick(words).at() & ~63L, random.nextInt(3));
    switch (f.kind) {
      case 0 -> image.failAccess(f.at, 64);
      case 1 -> image.failWrite(f.at, 64);
      default -> image.poison(f.at, 64);
    }
    return f;
  }

  /** Where there is an entry, which the unit may have updated. */
  public List<Long> entries() {
    return words.stream().map(Word::at).toList();
  }

  /** A request that has a good chance to find something. */
  public Ask ask() {
    Space s = pick(spaces);
    int sid = chance(0.02) ? random.nextInt(0x1_0000) : s.sid();
    int pasid =
        chance(0.03) && machine.ttm() == 1
            ? random.nextInt(1 << 20)
            : chance(0.01) ? random.nextInt(64) : s.pasid();
    Ask.Kind kind = Ask.Kind.values()[pick(0, 0, 0, 0, 0, 1, 1, 1, 2)];
    boolean ats = kind == Ask.Kind.TRANSLATION_REQUEST;
    Ask.What what = ats ? Ask.What.READ : Ask.What.values()[pick(0, 0, 0, 1, 1, 1, 2, 3)];
    return new Ask(
        kind,
        sid,
        pasid,
        pasid >= 0 && chance(0.3),
        pasid >= 0 && chance(0.03),
        what,
        ats && chance(0.4),
        address(s, kind));
  }

  private long address(Space s, Ask.Kind kind) {
    double p = random.nextDouble();
    if (p < 0.03) {
      return 0xfee0_0000L + random.nextInt(0x10_0000);
    }
    if (p < 0.05) {
      return random.nextLong() >>> random.nextInt(64);
    }
    if (s.addresses().isEmpty() || (kind == Ask.Kind.TRANSLATED && chance(0.5))) {
      return p < 0.1 ? 1L << machine.haw() : random.nextLong(1L << machine.haw());
    }
    long address = pick(s.addresses());
    if (p < 0.12) {
      address ^= 1L << random.nextInt(12, 64);
    }
    return address & ~0xfffL | random.nextInt(4096) & ~3;
  }

  /**
   * What requests name.
   *
   * @param addresses in pages that are mapped
   */
  record Space(int sid, int pasid, List<Long> addresses, String what) {
    @Override
    public String toString() {
      return "0x%x%s %s".formatted(sid, pasid < 0 ? "" : " pasid 0x%x".formatted(pasid), what);
    }
  }

  @Override
  public String toString() {
    return machine + " " + spaces;
  }
}
