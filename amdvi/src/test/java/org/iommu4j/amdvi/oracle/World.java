package org.iommu4j.amdvi.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A random machine: registers, a device table, page tables of both kinds and interrupt tables,
 * mostly right, in an image of memory.
 */
public final class World {
  public static final long BASE = 0x8000_0000L;
  public static final int BYTES = 1 << 20;

  final RandomGenerator random;
  public final Machine machine;
  public final Image image;

  /** The reverse map table, if the unit is made for SNP. */
  public final @Nullable ReverseMap rmp;

  private final List<Word> words = new ArrayList<>();
  private final List<Space> spaces = new ArrayList<>();
  private final List<Integer> devices = new ArrayList<>();
  private long next = BASE;
  private long backing;
  private int domains;

  public World(RandomGenerator random) {
    this.random = random;
    image = new Image(BASE, new byte[BYTES]);
    long[] tables = new long[8];
    Machine m = new Features(this).machine(tables);
    rmp = m.snpSup() ? new ReverseMap(this) : null;
    for (int i = 0; i < 1 << m.segments(); i++) {
      // Some too short for any, some for all devices.
      int pages = random.nextInt(1, 3);
      tables[i] = pages(pages) | pages - 1;
    }
    long exclusion = chance(0.4) ? random.nextLong(1L << 34) & ~0xfffL : 0;
    machine =
        new Machine(
            m.header(),
            m.efr(),
            m.efr2(),
            m.control(),
            exclusion == 0 ? 0 : exclusion | 1 | (chance(0.5) ? 2 : 0),
            exclusion == 0 ? 0 : exclusion + 0x1000L * random.nextInt(4),
            tables);
    int count = random.nextInt(1, 4);
    for (int i = 0; i < count; i++) {
      int device = random.nextInt(1 << m.segments()) << 16 - m.segments() | random.nextInt(128);
      if (!devices.contains(device)) {
        devices.add(device);
        new DeviceBuilder(this, device, spaces).build();
      }
    }
    if (rmp != null && backing != 0 && chance(0.4)) {
      rmp.assign(backing);
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

  /** Zero pages. */
  long pages(int count) {
    long at = next;
    next += 4096L * count;
    if (next > BASE + BYTES) {
      throw new IllegalStateException("the image is full");
    }
    return at;
  }

  boolean room(int pages) {
    return next + 4096L * pages < BASE + BYTES;
  }

  /** A DomainID that nothing else has. */
  int domain() {
    return ++domains;
  }

  /** A guest's virtual APIC backing page. */
  long backingPage() {
    if (backing == 0) {
      backing = pages(1);
    }
    return backing;
  }

  /** A word of a structure of the unit. */
  void put(long at, long value, Word.Kind kind) {
    image.store(at, value);
    words.add(new Word(at, kind));
  }

  /** Flags of a host entry: all permissions, each left out with the given probability. */
  long hostFlags(double missing, boolean tracked) {
    return (chance(missing / 3) ? 0 : HostTables.PR)
        | (chance(missing) ? 0 : HostTables.IR)
        | (chance(missing) ? 0 : HostTables.IW)
        | (tracked && chance(0.5) ? HostTables.A : 0)
        | (chance(0.2) ? (long) random.nextInt(16) << 1 : 0)
        | (chance(0.1) ? 1L << 63 : 0);
  }

  /** What only a host page has. */
  long pageFlags() {
    return (chance(0.3) ? HostTables.A : 0)
        | (chance(0.3) ? HostTables.D : 0)
        | (chance(0.2) ? HostTables.U : 0)
        | (chance(0.2) ? HostTables.FC : 0);
  }

  /** Flags of a guest entry. */
  long guestFlags(double missing) {
    return (chance(missing / 3) ? 0 : GuestTables.P)
        | (chance(missing) ? 0 : GuestTables.RW)
        | (chance(missing) ? 0 : GuestTables.US)
        | (chance(0.4) ? GuestTables.A : 0)
        | (chance(0.2) ? GuestTables.D : 0)
        | (chance(missing) ? GuestTables.NX : 0)
        | (chance(0.2) ? (long) random.nextInt(1 << 11) << 52 : 0);
  }

  /** A frame for a page of that size. */
  long frame(int shift) {
    if (rmp != null && chance(0.8)) {
      int covered = chance(0.1) ? 30 : ReverseMap.COVERED_SHIFT;
      return random.nextLong(1L << covered) >>> shift << shift;
    }
    return random.nextLong(1L << 44) >>> shift << shift;
  }

  // ---- what the test uses

  /** The guest took all its interrupts. */
  public void takeInterrupts() {
    for (int i = 0; backing != 0 && i < 8; i++) {
      image.store(backing + 0x200 + 16 * i, 0);
    }
  }

  /** Flips a few bits of what was built. */
  public void damage() {
    for (int n = random.nextInt(1, 6); n > 0; n--) {
      Word w = pick(words);
      int bit = chance(0.4) ? random.nextInt(12) : random.nextInt(64);
      long now = image.load(w.at()) ^ 1L << bit;
      // A page of many entries must be in all of them: caches may take it from any.
      boolean replicated = bit >= 9 && bit <= 11 && (now >>> 9 & 7) == 7;
      if (w.mayFlip(bit) && !replicated) {
        image.store(w.at(), now);
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

  public List<Integer> devices() {
    return devices;
  }

  /** A request that has a good chance to find something. */
  public Ask ask() {
    Space s = pick(spaces);
    int device =
        chance(0.02) ? random.nextInt(0x1_0000) : chance(0.01) ? s.device() ^ 0x100 : s.device();
    int pasid =
        chance(0.02) ? random.nextInt(1 << 20) : chance(0.01) ? random.nextInt(8) : s.pasid();
    Ask.Kind kind = Ask.Kind.values()[pick(0, 0, 0, 0, 0, 1, 1, 1, 2)];
    boolean ats = kind == Ask.Kind.TRANSLATION_REQUEST;
    Ask.What what = ats ? Ask.What.values()[pick(0, 1)] : Ask.What.values()[pick(0, 0, 1, 1, 1, 2)];
    boolean execute = pasid >= 0 && (ats ? chance(0.5) : what == Ask.What.READ && chance(0.3));
    return new Ask(kind, device, pasid, pasid >= 0 && chance(0.3), execute, what, address(s));
  }

  private long address(Space s) {
    double p = random.nextDouble();
    if (p < 0.03) {
      return 0xfee0_0000L + random.nextInt(0x10_0000);
    }
    if (p < 0.06) {
      return 0xfd_0000_0000L + random.nextLong(0x3_0000_0000L);
    }
    if (p < 0.10) {
      return 0xfd_f800_0000L + random.nextLong(0x800_0000L);
    }
    if (p < 0.12) {
      return 0xfd_f910_0000L + random.nextLong(0x10_0000L);
    }
    if (p < 0.14) {
      return random.nextLong() >>> random.nextInt(64);
    }
    if (p < 0.18 && machine.exclusionBase() != 0) {
      return Machine.page(machine.exclusionBase()) + random.nextLong(0x5000);
    }
    if (s.addresses().isEmpty()) {
      return random.nextLong(1L << 40);
    }
    long address = pick(s.addresses());
    if (p < 0.25) {
      address ^= 1L << random.nextInt(12, 64);
    }
    return address & ~0xfffL | random.nextInt(4096) & ~3;
  }

  /** Device, address and data of an interrupt message. */
  public record Message(int device, long address, int data) {}

  /** A message that has a good chance to find something. */
  public Message message() {
    Space s = pick(spaces);
    int device = chance(0.02) ? random.nextInt(0x1_0000) : s.device();
    int data =
        chance(0.75)
            ? random.nextInt(5)
            : chance(0.5) ? random.nextInt(0x800) : random.nextInt(8) << 8 | random.nextInt(8);
    int upper = chance(0.2) ? 0xc000 : 0;
    long address = 0xfee0_0000L | random.nextInt(256) << 12 | (chance(0.3) ? 4 : 0);
    return new Message(device, address, data | upper);
  }

  /** A page request: payload bit 0 R, 1 W, 2 last, 11:3 group index. */
  public record Page(int device, int pasid, boolean privileged, boolean execute, long payload) {}

  /** A page request of a device. */
  public Page page() {
    Space s = pick(spaces);
    long address = s.addresses().isEmpty() ? random.nextLong() : pick(s.addresses());
    long payload = address & ~0xfffL | random.nextInt(0x1000);
    boolean pasid = s.pasid() >= 0;
    return new Page(s.device(), s.pasid(), pasid && chance(0.5), pasid && chance(0.5), payload);
  }

  /**
   * What requests name.
   *
   * @param addresses in pages that are mapped
   */
  record Space(int device, int pasid, List<Long> addresses, String what) {
    @Override
    public String toString() {
      return "0x%x%s %s".formatted(device, pasid < 0 ? "" : " pasid 0x%x".formatted(pasid), what);
    }
  }

  @Override
  public String toString() {
    return machine + " " + spaces;
  }
}
