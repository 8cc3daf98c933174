package org.iommu4j.riscv.oracle;

/** Both page-table walks of one request. */
final class Stages {
  /** No translation in the second stage. */
  static final class GuestPageFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GuestPageFault() {
      super("guest page fault", null, false, false);
    }
  }

  /** An entry of the second stage could not be read or updated. */
  static final class LoadFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    final boolean poisoned;

    LoadFailure(Image.Status status) {
      super("load failure", null, false, false);
      poisoned = status == Image.Status.POISONED;
    }
  }

  /**
   * Where a walk ended.
   *
   * @param out the translated address
   * @param flags bits 7:0 of the leaf
   * @param shift log2 of its size; 64 if the stage is Bare
   * @param pbmt memory type
   * @param global G of the leaf or of an entry above it
   */
  record Leaf(long out, int flags, int shift, int pbmt, boolean global) {
    boolean has(int flag) {
      return (flags & flag) != 0;
    }
  }

  static final int V = 1;
  static final int R = 2;
  static final int W = 4;
  static final int X = 8;
  static final int U = 16;
  static final int G = 32;
  static final int A = 64;
  static final int D = 128;

  private final Machine m;
  private final Image image;
  private final Device device;
  private final Ask ask;
  private final boolean sum;

  Stages(Machine m, Image image, Device device, Ask ask, boolean sum) {
    this.m = m;
    this.image = image;
    this.device = device;
    this.ask = ask;
    this.sum = sum;
  }

  private static Leaf bare(long address) {
    return new Leaf(address, V | R | W | X | U | A | D, 64, 0, false);
  }

  /** §6.2 of the sheet, by its numbers. */
  Leaf first(long iova, int mode, long root, boolean supervisor) {
    // 1.
    if (mode == 0) {
      return bare(iova);
    }
    // 2.
    boolean narrow = device.sxl();
    int levels = narrow ? 2 : mode - 5;
    int indexBits = narrow ? 10 : 9;
    int width = narrow ? 32 : 12 + 9 * levels;
    if (narrow ? iova >>> 32 != 0 : iova << (64 - width) >> (64 - width) != iova) {
      throw Stop.page(ask);
    }
    // 3.
    int size = narrow ? 4 : 8;
    long a = root;
    int i = levels - 1;
    boolean global = false;
    while (true) {
      int shift = 12 + indexBits * i;
      // 4.
      long at = a + (iova >>> shift & ((1 << indexBits) - 1)) * size;
      Leaf holder = bare(at);
      if (device.guestMode() != 0) {
        try {
          holder = second(at, 1, true, true);
        } catch (GuestPageFault f) {
          throw Stop.guestPage(ask, at & ~3L | 1);
        } catch (LoadFailure f) {
          throw f.poisoned ? new Stop(274) : Stop.access(ask);
        }
      }
      long pa = holder.out();
      // 5. and 6.
      Image.Status status = image.status(pa, size, false);
      if (status != Image.Status.OK) {
        throw status == Image.Status.POISONED ? new Stop(274) : Stop.access(ask);
      }
      long pte = image.load(pa, size, device.sbe());
      // 7. and 8.
      if (malformed(pte, i, narrow)) {
        throw Stop.page(ask);
      }
      global |= (pte & G) != 0;
      // 9.
      if ((pte & (R | X)) == 0) {
        if (i == 0) {
          throw Stop.page(ask);
        }
        a = target(pte, narrow);
        i--;
        continue;
      }
      // 10.
      boolean page = !ask.ats() && (ask.needs() & ~(pte >>> 1)) != 0;
      // 11. to 13.
      boolean user = (pte & U) != 0;
      page |= !supervisor && !user;
      page |= supervisor && user && ((ask.needs() & 4) != 0 || !sum);
      // 14. and 15.
      page |= misaligned(pte, shift, narrow);
      if (page) {
        throw Stop.page(ask);
      }
      // 16.
      int found = (int) pte & 0xff;
      if ((pte & A) == 0 || (store() && (pte & W) != 0 && (pte & D) == 0)) {
        if (!device.sade()) {
          throw Stop.page(ask);
        }
        if (!holder.has(W)) {
          throw Stop.guestPage(ask, at & ~3L | 3);
        }
        Image.Status writing = image.status(pa, size, true);
        if (writing != Image.Status.OK) {
          throw Stop.access(ask);
        }
        long updated = pte | A | (store() && (pte & W) != 0 ? D : 0);
        image.store(pa, size, updated, device.sbe());
        found |= A | (ask.ats() ? 0 : (int) updated & D);
      }
      // 17.
      int leafShift = pte < 0 ? 16 : shift;
      long low = (1L << leafShift) - 1;
      return new Leaf(
          target(pte, narrow) & ~low | iova & low,
          found,
          leafShift,
          narrow ? 0 : (int) (pte >>> 61 & 3),
          global);
    }
  }

  private boolean store() {
    return (ask.needs() & 2) != 0;
  }

  /**
   * §6.3 of the sheet.
   *
   * @param needs R = 1, W = 2, X = 4
   * @param check whether missing permissions are a fault
   * @param entry an implicit access to a first-stage entry
   */
  Leaf second(long gpa, int needs, boolean check, boolean entry) {
    int mode = device.guestMode();
    if (mode == 0) {
      return bare(gpa);
    }
    boolean narrow = m.gxl();
    int levels = narrow ? 2 : mode - 5;
    int indexBits = narrow ? 10 : 9;
    int width = narrow || device.sxl() ? 34 : 14 + 9 * levels;
    if (gpa >>> width != 0) {
      throw new GuestPageFault();
    }
    int size = narrow ? 4 : 8;
    long a = Device.page(device.iohgatp);
    for (int i = levels - 1; ; i--) {
      int shift = 12 + indexBits * i;
      // The root has four times as many entries.
      int bits = i == levels - 1 ? indexBits + 2 : indexBits;
      long at = a + (gpa >>> shift & ((1 << bits) - 1)) * size;
      Image.Status status = image.status(at, size, false);
      if (status != Image.Status.OK) {
        throw new LoadFailure(status);
      }
      long pte = image.load(at, size, m.be());
      if (malformed(pte, i, narrow)) {
        throw new GuestPageFault();
      }
      if ((pte & (R | X)) == 0) {
        if (i == 0) {
          throw new GuestPageFault();
        }
        a = target(pte, narrow);
        continue;
      }
      if ((check && (needs & ~(pte >>> 1)) != 0)
          || (pte & U) == 0
          || misaligned(pte, shift, narrow)) {
        throw new GuestPageFault();
      }
      // With SADE a first-stage entry that is read may have to be written.
      boolean writing = (needs & 2) != 0 || (entry && device.sade());
      int found = (int) pte & 0xff;
      if ((pte & A) == 0 || (writing && (pte & W) != 0 && (pte & D) == 0)) {
        if (!device.gade()) {
          throw new GuestPageFault();
        }
        if (image.status(at, size, true) != Image.Status.OK) {
          throw new LoadFailure(Image.Status.VIOLATION);
        }
        long updated = pte | A | (writing && (pte & W) != 0 ? D : 0);
        image.store(at, size, updated, m.be());
        found |= A | (ask.ats() ? 0 : (int) updated & D);
      }
      int leafShift = pte < 0 ? 16 : shift;
      long low = (1L << leafShift) - 1;
      return new Leaf(
          target(pte, narrow) & ~low | gpa & low,
          found,
          leafShift,
          narrow ? 0 : (int) (pte >>> 61 & 3),
          false);
    }
  }

  private static long target(long pte, boolean narrow) {
    return (narrow ? pte >>> 10 & 0x3f_ffffL : pte >>> 10 & 0xfff_ffff_ffffL) << 12;
  }

  /** What is wrong with an entry by itself, at level i. */
  private boolean malformed(long pte, int i, boolean narrow) {
    if ((pte & V) == 0 || (pte & (R | W)) == W) {
      return true;
    }
    boolean pointer = (pte & (R | X)) == 0;
    if (pointer && (pte & (A | D | U)) != 0) {
      return true;
    }
    if (narrow) {
      return false;
    }
    long pbmt = pte >>> 61 & 3;
    boolean napot = pte < 0;
    return (pte >>> 54 & 0x1f) != 0
        || ((pte >>> 59 & 3) != 0 && !m.svrsw60t59b())
        || (pbmt != 0 && (!m.svpbmt() || pointer))
        || pbmt == 3
        || (napot && (i > 0 || pointer));
  }

  private static boolean misaligned(long pte, int shift, boolean narrow) {
    if (!narrow && pte < 0) {
      return (pte >>> 10 & 0xf) != 8;
    }
    return (target(pte, narrow) & ((1L << shift) - 1)) != 0;
  }
}
