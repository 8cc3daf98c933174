package org.iommu4j.amdvi.oracle;

/**
 * A reverse map table with segments of 1 GiB, and memory of its own: one segment for low memory, of
 * which only what is for the first 64 MiB can be read, one for the image.
 */
public final class ReverseMap {
  public static final long BASE = 0x7_2aa0_0000L;
  public static final int BYTES = 0x21_0000;

  /** RMP_CFG: segments of 1 GiB. */
  public static final long CFG = 30 << 8 | 1;

  static final int COVERED_SHIFT = 26;

  private static final long SEGMENTS = BASE + 0x4000;
  private static final long LOW = BASE + 0x10_0000;
  private static final long OF_IMAGE = BASE + 0x20_0000;

  /** Entries beyond those of the first 64 MiB. */
  public static final long UNREAD = LOW + (1L << COVERED_SHIFT - 8);

  public static final int UNREAD_BYTES = (int) (OF_IMAGE - UNREAD);

  /** What becomes of a write. */
  enum Verdict {
    FREE,
    TAKEN,
    PARTLY_TAKEN,
    UNREADABLE
  }

  public final Image image = new Image(BASE, new byte[BYTES]);

  /** The entry that could not be read at last. */
  long failed;

  ReverseMap(World w) {
    image.store(SEGMENTS, LOW | 1);
    image.store(SEGMENTS + 8 * (World.BASE >>> 30), OF_IMAGE | 1);
    image.failAccess(UNREAD, UNREAD_BYTES);
    for (int region = 0; region < 1 << COVERED_SHIFT - 21; region++) {
      fill(w, LOW + 0x2000L * region, w.pick(0, 0, 0, 1, 2, 2, 2, 3), 512);
    }
    fill(w, OF_IMAGE, w.chance(0.5) ? 0 : 4, 256);
  }

  /**
   * The entries of 2 MiB.
   *
   * @param kind 0 all free, 1 a guest's 2 MiB, 2 many pages of guests, 3 immutable but free, 4 few
   *     pages
   */
  private void fill(World w, long at, int kind, int pages) {
    long others = w.random.nextLong() & 0x1fff_ffff_ffff_f000L;
    if (kind == 1) {
      image.store(at, 3 | others);
      return;
    }
    int count = 0;
    for (int i = 0; i < pages; i++) {
      boolean taken = kind == 2 ? w.chance(0.3) : kind == 4 && w.chance(0.02);
      image.store(at + 16L * i, taken ? 1 | w.random.nextInt(2) << 2 | others : kind == 3 ? 4 : 0);
      count += taken && i > 0 ? 1 : 0;
    }
    image.store(at, image.load(at) | (long) count << 3);
  }

  /** Gives a page of the image to a guest. */
  void assign(long pa) {
    long at = OF_IMAGE + ((pa & 0x3fff_ffff) >>> 8);
    if ((image.load(at) & 1) == 0) {
      image.store(at, image.load(at) | 1);
      image.store(OF_IMAGE, image.load(OF_IMAGE) + (at == OF_IMAGE ? 0 : 8));
    }
  }

  /** Whether a device may write to a page, which is a small one or of 2 MiB at least. */
  Verdict write(long pa, boolean large) {
    Long head = entry(pa & ~0x1f_ffffL);
    if (head == null) {
      return Verdict.FREE;
    }
    if (image.fails(head, 8, false)) {
      failed = head;
      return Verdict.UNREADABLE;
    }
    long first = image.load(head);
    if ((first & 3) == 3) {
      return Verdict.TAKEN;
    }
    if (large) {
      boolean some = (first & 1) != 0 || (first >>> 3 & 0x1ff) != 0;
      return some ? Verdict.PARTLY_TAKEN : Verdict.FREE;
    }
    long own = head + 16 * (pa >>> 12 & 0x1ff);
    if (image.fails(own, 8, false)) {
      failed = own;
      return Verdict.UNREADABLE;
    }
    return (image.load(own) & 1) != 0 ? Verdict.TAKEN : Verdict.FREE;
  }

  /** Where the entry of 2 MiB is; null if there is none. */
  private static @org.jspecify.annotations.Nullable Long entry(long pa) {
    if (pa >>> 30 == 0) {
      return LOW + (pa >>> 8);
    }
    return pa >>> 30 == World.BASE >>> 30 ? OF_IMAGE + ((pa & 0x3fff_ffff) >>> 8) : null;
  }
}
