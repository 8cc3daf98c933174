package org.iommu4j.vtd.oracle;

/** Random capabilities: any that the specification allows to occur together. */
public final class Capabilities {
  /** Where FRCD registers are, in units of 16 bytes: behind the last MTRR. */
  private static final long FRO = 0x22;

  /** Where IVA and IOTLB are. */
  private static final long IRO = 0xf;

  private final World world;
  private long cap;
  private long ecap;

  Capabilities(World world) {
    this.world = world;
  }

  private boolean chance(double p) {
    return world.chance(p);
  }

  private void cap(int bit, boolean on) {
    cap |= on ? 1L << bit : 0;
  }

  private boolean ecap(int bit, boolean on) {
    ecap |= on ? 1L << bit : 0;
    return on;
  }

  Machine machine() {
    int major = world.pick(1, 2, 3, 4, 5, 5, 6, 7, 8);
    int haw = world.pick(39, 42, 46, 48, 52);
    boolean qi = ecap(1, major >= 6 || chance(0.95));
    boolean smts = ecap(43, qi && chance(0.8));
    boolean dt = ecap(2, qi && chance(0.85));
    boolean ir = ecap(3, qi && chance(0.8));
    boolean eim = ecap(4, ir && chance(0.8));
    boolean smpwcs = ecap(48, smts && chance(0.85));
    boolean ssts = ecap(46, smts && chance(0.9));
    boolean fsts = ecap(47, smts && (!ssts || chance(0.9)));
    boolean srs = ecap(31, smts && chance(0.8));
    boolean pasid = ecap(40, smts && chance(0.9));
    ecap(0, chance(0.7));
    ecap(6, chance(0.85));
    ecap(7, chance(0.7));
    ecap(25, smts && chance(0.5));
    ecap(26, fsts && ssts && chance(0.9));
    boolean prs = ecap(29, dt && smts && chance(0.8));
    ecap(33, dt && chance(0.6));
    ecap(34, fsts && smpwcs && chance(0.7));
    ecap |= (long) world.pick(19, 19, 15, 9, 6) << 35;
    ecap(41, dt && chance(0.5));
    ecap(42, dt && chance(0.5));
    ecap(45, ssts && smpwcs && chance(0.8));
    ecap(49, smts && chance(0.85));
    ecap(52, chance(0.5));
    ecap(53, srs && chance(0.6));
    boolean hpts = ecap(55, smts && dt && chance(0.6));
    ecap(56, dt && pasid && chance(0.6));
    ecap(57, ssts && chance(0.5));
    ecap(58, prs && chance(0.5));
    ecap(59, hpts && chance(0.6));
    ecap(61, eim && chance(0.2));
    ecap(62, ir && chance(0.3));
    ecap |= IRO << 8 | (ir ? 0xfL << 20 : 0);

    cap |= world.pick(2, 3, 4, 6);
    cap(5, chance(0.5));
    cap(6, chance(0.5));
    cap(7, chance(0.3));
    cap |= (long) world.pick(2, 4, 8, 6, 12, 14, 14) << 8;
    cap |= (long) (Math.max(haw, world.pick(39, 48, 57)) - 1) << 16;
    cap(22, chance(0.5));
    cap |= FRO << 24;
    cap |= (long) world.pick(0, 1, 3, 3) << 34;
    cap(39, true);
    cap |= (long) world.pick(0, 0, 1, 7) << 40;
    cap |= (long) world.pick(9, 18, 63) << 48;
    cap(54, major >= 2 || chance(0.5));
    cap(55, major >= 2 || chance(0.5));
    cap(56, fsts && chance(0.7));
    cap(59, ir && chance(0.6));
    cap(60, fsts && chance(0.6));
    cap(62, chance(0.5));
    cap(63, chance(0.5));
    return new Machine(major, cap, ecap, haw, false, 0, false, false, 0);
  }
}
