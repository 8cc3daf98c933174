package org.iommu4j.vtd.oracle;

import org.jspecify.annotations.Nullable;

/** The first stage: four or five levels, by itself or behind a second stage. */
final class FirstStage {
  static final long P = 1;
  static final long RW = 1L << 1;
  static final long US = 1L << 2;
  static final long A = 1L << 5;
  static final long D = 1L << 6;
  static final long PS = 1L << 7;
  static final long EA = 1L << 10;

  /**
   * @param out host address, or with a second stage its input
   * @param w whether this stage lets the request write
   */
  record Leaf(long out, int shift, boolean w, Place place) {}

  /**
   * @param at where an entry is
   * @param updatable whether the second stage lets it be written
   */
  record Place(long at, boolean updatable) {}

  private final Machine m;
  private final Image image;
  private final PasidEntry e;
  private final @Nullable SecondStage second;

  FirstStage(Machine m, Image image, PasidEntry e, @Nullable SecondStage second) {
    this.m = m;
    this.image = image;
    this.e = e;
    this.second = second;
  }

  Leaf walk(Ask ask, boolean privileged) {
    long va = ask.address();
    // 1.
    int levels = 4 + e.fspm();
    int unused = 64 - (12 + 9 * levels);
    if (va << unused >> unused != va) {
      throw new Stop("SGN.1");
    }
    // 2.
    boolean write = true;
    boolean user = true;
    long table = e.fsptptr();
    for (int level = levels; ; level--) {
      boolean top = level == levels;
      int shift = 3 + 9 * level;
      // 3.
      Place place = place(table + 8 * (va >>> shift & 0x1ff), top);
      if (image.fails(place.at, 8, false)) {
        throw new Stop(top ? "SFS.4" : "SFS.1");
      }
      long entry = image.load(place.at);
      // 4.
      if ((entry & P) == 0) {
        throw new Stop("SFS.2");
      }
      // 5.
      boolean leaf = level == 1 || (entry & PS) != 0;
      if (malformed(entry, level, leaf)) {
        throw new Stop("SFS.3");
      }
      // 6.
      write &= (entry & RW) != 0;
      user &= (entry & US) != 0;
      // 7.
      update(place, A | (e.eafe() ? EA : 0));
      // 8.
      if (!leaf) {
        table = address(entry);
        continue;
      }
      // 9.
      if (!privileged && !user) {
        throw new Stop("SGN.2");
      }
      boolean mayWrite = write || (privileged && !e.wpe());
      if (ask.writes() && !mayWrite) {
        throw new Stop("SGN.6");
      }
      // 10. Of a translation request when the answer is known.
      if (ask.writes()) {
        update(place, D);
      }
      long low = (1L << shift) - 1;
      return new Leaf(address(entry) & ~low | va & low, shift, mayWrite, place);
    }
  }

  /** The page is written. */
  void dirty(Leaf leaf) {
    update(leaf.place, D);
  }

  /** An entry's host address. */
  private Place place(long address, boolean top) {
    if (second == null) {
      return new Place(address, true);
    }
    if (second.tooWide(address)) {
      throw new Stop("SFS.5");
    }
    SecondStage.Leaf leaf = second.walk(address);
    // With SSADE it counts as a write, too.
    if (!leaf.r() || (second.ssade() && !leaf.w())) {
      throw new Stop(top ? "SFS.6" : "SFS.7");
    }
    if (second.ssade()) {
      second.dirty(leaf);
    }
    return new Place(leaf.out(), leaf.w());
  }

  private static long address(long entry) {
    return entry & 0xf_ffff_ffff_f000L;
  }

  private boolean malformed(long entry, int level, boolean leaf) {
    boolean large = leaf && level > 1;
    long misaligned = address(entry) & ((1L << (3 + 9 * level)) - 1) & ~0x1000L;
    return address(entry) >>> m.haw() != 0
        || (large && level > 3)
        || (large && level == 3 && !m.first1g())
        || (large && misaligned != 0);
  }

  private void update(Place place, long bits) {
    long entry = image.load(place.at);
    if ((entry & bits) == bits) {
      return;
    }
    // Without SMPWCS nobody can ask for snooping, and the vectors of QEMU's unit set the bits.
    if (m.smpwcs() && !e.pwsnp()) {
      throw new Stop("SFS.9");
    }
    if (!place.updatable) {
      throw new Stop("SFS.8");
    }
    if (image.fails(place.at, 8, true)) {
      throw new Stop("SFS.10");
    }
    image.store(place.at, entry | bits);
  }
}
