package org.iommu4j.vtd.oracle;

/** The second stage: three, four or five levels. */
final class SecondStage {
  static final long R = 1;
  static final long W = 1L << 1;
  static final long PS = 1L << 7;
  static final long A = 1L << 8;
  static final long D = 1L << 9;
  static final long SNP = 1L << 11;
  static final long IR = 1L << 61;
  static final long IW = 1L << 62;

  /**
   * @param out the address, offset included
   * @param at where the leaf is
   */
  record Leaf(long out, int shift, boolean r, boolean w, long at) {
    boolean nothing() {
      return !r && !w;
    }
  }

  private final Machine m;
  private final Image image;
  private final boolean legacy;
  private final long root;
  private final int aw;
  private final boolean ssade;
  private final boolean snooped;

  SecondStage(
      Machine m, Image image, boolean legacy, long root, int aw, boolean ssade, boolean snooped) {
    this.m = m;
    this.image = image;
    this.legacy = legacy;
    this.root = root;
    this.aw = aw;
    this.ssade = ssade;
    this.snooped = snooped;
  }

  boolean ssade() {
    return ssade;
  }

  /** Bits of an input address. */
  int width() {
    return Math.min(m.mgaw(), 30 + 9 * aw);
  }

  boolean tooWide(long address) {
    return width() < 64 && address >>> width() != 0;
  }

  /** The walk; A is set on the way. Permissions are the caller's business. */
  Leaf walk(long address) {
    boolean r = true;
    boolean w = true;
    long table = root;
    // 1.
    for (int level = aw + 2; ; level--) {
      int shift = 3 + 9 * level;
      long at = table + 8 * (address >>> shift & 0x1ff);
      // 2. and 3.
      if (image.fails(at, 8, false)) {
        throw new Stop(
            level == aw + 2 ? (legacy ? "LCT.4.3" : "SSS.4") : legacy ? "LSS.1" : "SSS.1");
      }
      long entry = image.load(at);
      // 4.
      boolean readable = (entry & (m.ssirwe() ? IR : R)) != 0;
      boolean writable = (entry & (m.ssirwe() ? IW : W)) != 0;
      if (!readable && !writable) {
        if (legacy) {
          return new Leaf(0, 12, false, false, at);
        }
        throw new Stop("SSS.2");
      }
      // 5.
      boolean leaf = level == 1 || (entry & PS) != 0;
      if (malformed(entry, level, leaf)) {
        throw new Stop(legacy ? "LSS.2" : "SSS.3");
      }
      // 6.
      r &= readable;
      w &= writable;
      // 7.
      if (ssade) {
        update(at, A);
      }
      // 8.
      if (leaf) {
        if (!legacy && !r && !w) {
          throw new Stop("SSS.2");
        }
        long low = (1L << shift) - 1;
        return new Leaf(address(entry) & ~low | address & low, shift, r, w, at);
      }
      table = address(entry);
    }
  }

  private static long address(long entry) {
    return entry & 0xf_ffff_ffff_f000L;
  }

  private boolean malformed(long entry, int level, boolean leaf) {
    boolean large = leaf && level > 1;
    return address(entry) >>> m.haw() != 0
        || (large && level > 3)
        || (large && level == 3 && !m.second1g())
        || (large && level == 2 && !m.second2m())
        || (large && (address(entry) & ((1L << (3 + 9 * level)) - 1)) != 0)
        || ((entry & SNP) != 0 && (!leaf || !m.sc()))
        || (!m.ssirwe() && (entry & IW) != 0);
  }

  /** 9. An untranslated request against what there is. */
  void permit(Ask ask, Leaf leaf) {
    if (ask.writes() && !leaf.w()) {
      throw new Stop(legacy ? "LGN.2" : "SGN.6");
    }
    boolean flush = ask.what() == Ask.What.ZERO_LENGTH_READ;
    if (ask.reads() && !leaf.r() && !(flush && m.zlr() && leaf.w())) {
      throw new Stop(legacy ? "LGN.3" : "SGN.7");
    }
  }

  /** The page is written. */
  void dirty(Leaf leaf) {
    if (ssade) {
      update(leaf.at, D);
    }
  }

  private void update(long at, long bits) {
    long entry = image.load(at);
    if ((entry & bits) == bits) {
      return;
    }
    if (!snooped) {
      throw new Stop("SSS.5");
    }
    if (image.fails(at, 8, true)) {
      throw new Stop("SSS.6");
    }
    image.store(at, entry | bits);
  }
}
