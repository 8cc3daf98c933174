package org.iommu4j.vtd.oracle;

import java.util.random.RandomGenerator;

/** A random interrupt remapping table with posted descriptors, and messages that look into it. */
public final class Messages {
  public static final long BASE = 0x8000_0000L;
  public static final int BYTES = 1 << 16;

  /** The table is 4 or 8 KiB; then come posted descriptors. */
  private static final long DESCRIPTORS = BASE + 0x8000;

  private static final int[] INDICES = {0, 1, 2, 3, 7, 64, 200, 255, 256, 300, 511};

  private final RandomGenerator random;
  public final Machine machine;
  public final Image image = new Image(BASE, new byte[BYTES]);

  public Messages(RandomGenerator random) {
    this.random = random;
    long ecap = 1L << 1 | 1L << 3 | 0xfL << 20 | 0xfL << 8;
    boolean eim = chance(0.7);
    ecap |= eim ? 1L << 4 : 0;
    ecap |= eim && chance(0.15) ? 1L << 61 : 0;
    ecap |= chance(0.3) ? 1L << 62 : 0;
    long cap = 2 | 2L << 8 | 47L << 16 | 0x22L << 24 | 1L << 39 | 9L << 48 | 3L << 54;
    cap |= chance(0.8) ? 1L << 59 : 0;
    cap |= chance(0.5) ? 1L << 62 : 0;
    cap |= chance(0.5) ? 7L << 40 : 0;
    boolean eime = eim && chance(0.6);
    long irta = BASE | (eime ? 1 << 11 : 0) | (chance(0.5) ? 7 : 8);
    machine =
        new Machine(5, cap, ecap, pick(39, 46, 52), false, 0, !chance(0.05), chance(0.5), irta);
    change();
  }

  private boolean chance(double p) {
    return random.nextDouble() < p;
  }

  private int pick(int... values) {
    return values[random.nextInt(values.length)];
  }

  /** Writes all entries and descriptors anew. */
  public void change() {
    for (int index : INDICES) {
      entry(BASE + 16L * index);
    }
    for (int i = 0; i < 4; i++) {
      descriptor(DESCRIPTORS + 64L * i);
    }
  }

  private void entry(long at) {
    boolean posted = machine.pi() ? chance(0.4) : chance(0.03);
    long low = chance(0.05) ? 0 : 1;
    low |= chance(0.2) ? 2 : 0;
    low |= (long) random.nextInt(16) << 8 | (long) random.nextInt(256) << 16;
    long high = chance(0.6) ? 0 : sid() | (long) random.nextInt(4) << 16 | 1L << 18;
    if (chance(0.15)) {
      int bus = random.nextInt(4);
      high = (long) bus << 8 | bus + random.nextInt(3) | 2L << 18;
    } else if (chance(0.02)) {
      high |= 3L << 18;
    }
    if (posted) {
      long pd = chance(0.05) ? random.nextLong() & ~63 : DESCRIPTORS + 64L * random.nextInt(4);
      low |= 1 << 15 | (chance(0.3) ? 1 << 14 : 0) | pd << 32 & 0xffff_ffc0_0000_0000L;
      high |= pd & 0xffff_ffff_0000_0000L;
    } else {
      low |= (long) pick(0, 0, 1, 2, 4, 5, 7, 7, 3, 6) << 5 | (long) random.nextInt(8) << 2;
      low |= machine.eime() ? random.nextLong() << 32 : (long) random.nextInt(256) << 40;
    }
    if (chance(0.1)) {
      low ^= 1L << random.nextInt(64);
    }
    if (chance(0.1)) {
      high ^= 1L << random.nextInt(64);
    }
    image.store(at, low);
    image.store(at + 8, high);
  }

  private void descriptor(long at) {
    for (int i = 0; i < 4; i++) {
      image.store(at + 8 * i, chance(0.5) ? random.nextLong() & random.nextLong() : 0);
    }
    long control = (long) random.nextInt(4) | (long) random.nextInt(256) << 16;
    control |= machine.eime() ? random.nextLong() << 32 : (long) random.nextInt(256) << 40;
    control ^= chance(0.08) ? 1L << random.nextInt(64) : 0;
    image.store(at + 32, control);
  }

  private int sid() {
    return random.nextInt(4) << 8 | random.nextInt(16);
  }

  /**
   * One message.
   *
   * @param address FEEx_xxxx
   */
  public record Message(int sid, long address, int data) {
    @Override
    public String toString() {
      return "0x%x to 0x%x by 0x%x".formatted(data, address, sid);
    }
  }

  public Message message() {
    if (chance(0.1)) {
      return new Message(sid(), 0xfee0_0000L | random.nextInt(1 << 20) & ~0x13, random.nextInt());
    }
    int index = chance(0.05) ? random.nextInt(1 << 16) : pick(INDICES);
    boolean shv = chance(0.4);
    int sub = shv ? random.nextInt(Math.min(index, 7) + 1) : chance(0.5) ? random.nextInt() : 0;
    int handle = shv ? index - sub : index;
    int data = shv && chance(0.03) ? sub | 1 << random.nextInt(16, 32) : sub;
    if (shv && chance(0.03)) {
      handle = 0xffff;
      data = 0xffff;
    }
    long address =
        0xfee0_0010L | (long) (handle & 0x7fff) << 5 | (long) (handle >>> 15) << 2 | (shv ? 8 : 0);
    return new Message(sid(), address, data);
  }

  /** Makes an entry or a descriptor fail. */
  public World.Failing failing() {
    long at =
        chance(0.5) ? DESCRIPTORS + 64L * random.nextInt(4) : BASE + (16L * pick(INDICES) & ~63L);
    World.Failing f = new World.Failing(at, random.nextInt(3));
    switch (f.kind()) {
      case 0 -> image.failAccess(at, 64);
      case 1 -> image.failWrite(at, 64);
      default -> image.poison(at, 64);
    }
    return f;
  }
}
