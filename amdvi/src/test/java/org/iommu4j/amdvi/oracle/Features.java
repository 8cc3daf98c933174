package org.iommu4j.amdvi.oracle;

/** A random unit: what it has, and what of it is on. */
final class Features {
  private final World w;

  Features(World world) {
    this.w = world;
  }

  Machine machine(long[] tables) {
    boolean gt = w.chance(0.7);
    boolean ga = w.chance(0.6);
    boolean xt = ga && w.chance(0.5);
    boolean ha = w.chance(0.6);
    long efr =
        bit(1, 0.5)
            | (xt ? 1L << 2 : 0)
            | bit(3, 0.7)
            | (gt ? 1L << 4 : 0)
            | 1L << 6
            | (ga ? 1L << 7 : 0)
            | bit(8, 0.3)
            | (long) w.random.nextInt(3) << 10
            | (long) w.random.nextInt(2) << 12
            | (long) w.random.nextInt(3) << 14
            | (ga ? bit(21, 0.7) : 0)
            | (gt ? (long) w.pick(0, 7, 8, 9, 15, 19) << 32 : 0)
            | bit(37, 0.6)
            | (long) w.random.nextInt(4) << 38
            | (gt ? bit(48, 0.7) : 0)
            | (ha ? 1L << 49 : 0)
            | bit(50, 0.7)
            | (ha ? bit(52, 0.7) : 0)
            | bit(61, 0.3)
            | (ga ? bit(5, 0.4) : 0)
            | bit(63, 0.35);
    boolean snp = efr < 0;
    long efr2 =
        (long) w.random.nextInt(2) << 8
            | bit(11, 0.3)
            | bit(4, 0.5)
            | bit(3, 0.7)
            | (snp && ga ? bit(5, 0.8) : 0);
    int segments = w.random.nextInt((int) (efr >>> 38 & 3) + 1);
    long control =
        (w.chance(0.97) ? 1 : 0)
            | 1L << 2
            | 1L << 10
            | 1L << 12
            | ((efr & 2) != 0 ? bit(15, 0.8) | 1L << 13 : 0)
            | ((efr >>> 50 & 1) != 0 ? bit(45, 0.8) : 0)
            | (gt ? bit(16, 0.92) : 0)
            | (ga ? bit(17, 0.7) : 0)
            | (long) segments << 34
            | ((efr2 >>> 8 & 1) != 0 ? bit(43, 0.5) : 0)
            | ((efr >>> 61 & 1) != 0 ? bit(48, 0.4) | bit(54, 0.4) : 0)
            | ((efr2 >>> 3 & 1) != 0 ? bit(58, 0.7) : 0);
    if ((control & 1L << 17) != 0) {
      control |= xt ? bit(50, 0.7) : 0;
      control |= (efr & 1L << 21) != 0 && w.chance(0.8) ? 1L << 25 | 1L << 28 : 0;
      control |= (efr2 & 1L << 5) != 0 ? bit(61, 0.8) : 0;
      control |= (efr & 1L << 5) != 0 ? bit(55, 0.7) : 0;
    }
    int header = 0x0f | 3 << 16 | 1 << 19 | (w.chance(0.85) ? 1 << 24 : 0) | 1 << 27;
    return new Machine(header, efr, efr2, control, 0, 0, tables);
  }

  private long bit(int at, double p) {
    return w.chance(p) ? 1L << at : 0;
  }
}
