package org.iommu4j.riscv.oracle;

/** The device context and the process context: how they are found, and when they are wrong. */
final class Device {
  private final Machine m;
  private final Image image;

  long tc;
  long iohgatp;
  long ta;
  long fsc;
  long msiptp;
  long mask;
  long pattern;
  private long last;

  Device(Machine m, Image image) {
    this.m = m;
    this.image = image;
  }

  boolean tc(int bit) {
    return (tc >>> bit & 1) != 0;
  }

  boolean enAts() {
    return tc(1);
  }

  boolean enPri() {
    return tc(2);
  }

  boolean t2gpa() {
    return tc(3);
  }

  boolean dtf() {
    return tc(4);
  }

  boolean pdtv() {
    return tc(5);
  }

  boolean prpr() {
    return tc(6);
  }

  boolean gade() {
    return tc(7);
  }

  boolean sade() {
    return tc(8);
  }

  boolean dpe() {
    return tc(9);
  }

  boolean sbe() {
    return tc(10);
  }

  boolean sxl() {
    return tc(11);
  }

  int guestMode() {
    return (int) (iohgatp >>> 60);
  }

  int fscMode() {
    return (int) (fsc >>> 60);
  }

  int msiMode() {
    return (int) (msiptp >>> 60);
  }

  static long page(long word) {
    return (word & 0xfff_ffff_ffffL) << 12;
  }

  /** Step 5: whether the directory's depth can index the id. */
  static boolean tooWide(Machine m, int did) {
    int leafBits = m.msiFlat() ? 6 : 7;
    int bits =
        switch (m.mode()) {
          case 2 -> leafBits;
          case 3 -> leafBits + 9;
          default -> 24;
        };
    return did >>> bits != 0;
  }

  /** Step 6. */
  static Device locate(Machine m, Image image, int did) {
    int leafBits = m.msiFlat() ? 6 : 7;
    long a = m.root();
    for (int i = m.mode() - 2; i > 0; i--) {
      int index = i == 2 ? did >>> (leafBits + 9) : did >>> leafBits & 0x1ff;
      long at = a + 8L * index;
      ddt(image.status(at, 8, false));
      long entry = image.load(at, 8, m.be());
      if ((entry & 1) == 0) {
        throw new Stop(258);
      }
      if ((entry & 0xffc0_0000_0000_03feL) != 0) {
        throw new Stop(259);
      }
      a = (entry >>> 10 & 0xfff_ffff_ffffL) << 12;
    }
    int words = m.msiFlat() ? 8 : 4;
    long at = a + (long) (did & ((1 << leafBits) - 1)) * words * 8;
    ddt(image.status(at, words * 8, false));
    long[] w = new long[8];
    for (int i = 0; i < words; i++) {
      w[i] = image.load(at + 8 * i, 8, m.be());
    }
    Device d = new Device(m, image);
    d.tc = w[0];
    d.iohgatp = w[1];
    d.ta = w[2];
    d.fsc = w[3];
    d.msiptp = w[4];
    d.mask = w[5];
    d.pattern = w[6];
    d.last = w[7];
    if (!d.tc(0)) {
      throw new Stop(258);
    }
    if (d.misconfigured()) {
      throw new Stop(259);
    }
    return d;
  }

  private static void ddt(Image.Status status) {
    if (status != Image.Status.OK) {
      throw new Stop(status == Image.Status.POISONED ? 268 : 257);
    }
  }

  private boolean misconfigured() {
    boolean[] check = new boolean[24];
    // Bits of mask and pattern beyond the widest guest address count as reserved, too.
    long beyond = -1L << (m.guestBits() - 12);
    check[1] =
        (tc & 0xffff_ffff_00ff_f000L) != 0
            || (ta & 0x0000_00ff_0000_0fffL) != 0
            || (!m.qosid() && ta >>> 40 != 0)
            || (fsc & 0x0fff_f000_0000_0000L) != 0
            || (msiptp & 0x0fff_f000_0000_0000L) != 0
            || ((mask | pattern) & (0xfff0_0000_0000_0000L | beyond)) != 0
            || last != 0;
    check[2] = !m.ats() && (enAts() || enPri() || prpr());
    check[3] = !enAts() && t2gpa();
    check[4] = !enAts() && enPri();
    check[5] = !enPri() && prpr();
    check[6] = !m.t2gpa() && t2gpa();
    check[7] = t2gpa() && guestMode() == 0;
    check[8] =
        pdtv()
            && !(fscMode() == 0
                || (fscMode() == 1 && m.cap(38))
                || (fscMode() == 2 && m.cap(39))
                || (fscMode() == 3 && m.cap(40)));
    check[9] = !pdtv() && !firstStageMode(m, sxl(), fscMode());
    check[12] = !pdtv() && dpe();
    check[13] = !secondStageMode();
    check[16] = msiMode() > 1;
    check[17] = guestMode() != 0 && (iohgatp & 3) != 0;
    check[18] = !m.amoHwad() && (sade() || gade());
    check[19] = !m.end() && sbe() != m.be();
    check[20] = m.gxl() ? !sxl() : sxl() && !m.gxlWritable();
    check[21] = !m.beWritable() && sbe() != m.be();
    check[23] = guestMode() == 0 && msiMode() != 0;
    for (boolean wrong : check) {
      if (wrong) {
        return true;
      }
    }
    return false;
  }

  /** Checks 9 to 11, and those of a process context. */
  private static boolean firstStageMode(Machine m, boolean sxl, int mode) {
    return switch (mode) {
      case 0 -> true;
      case 8 -> sxl ? m.sv32() : m.cap(9);
      case 9 -> !sxl && m.cap(10);
      case 10 -> !sxl && m.cap(11);
      default -> false;
    };
  }

  /** Checks 13 to 15. */
  private boolean secondStageMode() {
    return switch (guestMode()) {
      case 0 -> true;
      case 8 -> m.gxl() ? m.cap(16) : m.cap(17);
      case 9 -> !m.gxl() && m.cap(18);
      case 10 -> !m.gxl() && m.cap(19);
      default -> false;
    };
  }

  /** Step 14: the process context's two words. */
  long[] process(Ask ask, int pid, Stages stages) {
    long a = page(fsc);
    for (int i = fscMode() - 1; ; i--) {
      int index = i == 2 ? pid >>> 17 : i == 1 ? pid >>> 8 & 0x1ff : pid & 0xff;
      a += i > 0 ? 8L * index : 16L * index;
      if (guestMode() != 0) {
        try {
          a = stages.second(a, 1, true, false).out();
        } catch (Stages.GuestPageFault f) {
          throw Stop.guestPage(ask, a & ~3L | 1);
        } catch (Stages.LoadFailure f) {
          throw new Stop(f.poisoned ? 269 : 265);
        }
      }
      int length = i > 0 ? 8 : 16;
      Image.Status status = image.status(a, length, false);
      if (status != Image.Status.OK) {
        throw new Stop(status == Image.Status.POISONED ? 269 : 265);
      }
      long first = image.load(a, 8, sbe());
      if ((first & 1) == 0) {
        throw new Stop(266);
      }
      if (i > 0) {
        if ((first & 0xffc0_0000_0000_03feL) != 0) {
          throw new Stop(267);
        }
        a = (first >>> 10 & 0xfff_ffff_ffffL) << 12;
        continue;
      }
      long second = image.load(a + 8, 8, sbe());
      if ((first & 0xffff_ffff_0000_0ff8L) != 0
          || (second & 0x0fff_f000_0000_0000L) != 0
          || !firstStageMode(m, sxl(), (int) (second >>> 60))) {
        throw new Stop(267);
      }
      return new long[] {first, second};
    }
  }
}
