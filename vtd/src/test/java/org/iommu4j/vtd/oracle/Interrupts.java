package org.iommu4j.vtd.oracle;

/** What an interrupt message of a device comes to. */
public final class Interrupts {
  /**
   * @param kind "delivered", "recorded" or "blocked"
   * @param address where the message or the notification goes; 0 if none does
   * @param data its data
   * @param code the reason; 0 if there was none
   * @param logged whether a fault is recorded
   * @param index the index that the record has; -1 if it has none
   */
  public record Delivery(
      String kind, long address, int data, int code, boolean logged, int index) {}

  private final Machine m;
  private final Image image;

  public Interrupts(Machine m, Image image) {
    this.m = m;
    this.image = image;
  }

  private static Delivery blocked(int code, boolean fpd, int index) {
    boolean qualified = Rules.of("IR.%02X".formatted(code)).qualified();
    return new Delivery("blocked", 0, 0, code, !(qualified && fpd), index);
  }

  /** What the message comes to; posted descriptors change in the image. */
  public Delivery remap(int sid, long address, int data) {
    // 1.
    if (!m.ires()) {
      return m.irreq()
          ? blocked(0x2b, false, -1)
          : new Delivery("delivered", address, data, 0, false, -1);
    }
    // 2.
    if (m.eimer() && !m.eime()) {
      return blocked(0x2a, false, -1);
    }
    // 3.
    if ((address & 16) == 0) {
      return m.eime() || !m.cfis()
          ? blocked(0x25, false, -1)
          : new Delivery("delivered", address, data, 0, false, -1);
    }
    // 4.
    boolean shv = (address & 8) != 0;
    if (shv && data >>> 16 != 0) {
      return blocked(0x20, false, -1);
    }
    // 5.
    int handle = (int) (address >>> 5 & 0x7fff | (address >>> 2 & 1) << 15);
    int index = shv ? handle + (data & 0xffff) : handle;
    if (index >= m.entries()) {
      return blocked(0x21, false, index & 0xffff);
    }
    // 6.
    long at = Machine.page(m.irta()) + 16L * index;
    if (image.fails(at, 16, false)) {
      return blocked(0x23, false, index);
    }
    long low = image.load(at);
    long high = image.load(at + 8);
    boolean fpd = (low & 2) != 0;
    // 7.
    if ((low & 1) == 0) {
      return blocked(0x22, fpd, index);
    }
    // 8.
    int svt = (int) (high >>> 18 & 3);
    int sq = (int) (high >>> 16 & 3);
    int expected = (int) (high & 0xffff);
    int mask = new int[] {0xffff, 0xfffb, 0xfff9, 0xfff8}[sq];
    int bus = sid >>> 8;
    if ((svt == 1 && ((sid ^ expected) & mask) != 0)
        || (svt == 2 && (bus < expected >>> 8 || bus > (expected & 0xff)))) {
      return blocked(0x26, fpd, index);
    }
    // 9.
    boolean posted = (low >>> 15 & 1) != 0;
    if (svt == 3 || (posted ? postedReserved(low, high) : reserved(low, high))) {
      return blocked(0x24, fpd, index);
    }
    if (posted) {
      return post(low, high, fpd, index);
    }
    // 10.
    long destination = m.eime() ? low >>> 32 : low >>> 40 & 0xff;
    boolean level = (low >>> 4 & 1) != 0;
    return new Delivery(
        "delivered",
        message(destination) | (low & 8) | (low & 4),
        (int) (low >>> 16 & 0xff) | (int) (low >>> 5 & 7) << 8 | (level ? 0xc000 : 0),
        0,
        false,
        -1);
  }

  private static long message(long destination) {
    return 0xfee0_0000L | (destination & 0xff) << 12 | destination >>> 8 << 40;
  }

  private boolean reserved(long low, long high) {
    int dlm = (int) (low >>> 5 & 7);
    return (low & 0xff00_7000L) != 0
        || high >>> 20 != 0
        || dlm == 3
        || dlm == 6
        || (!m.eime() && (low & 0xffff_00ff_0000_0000L) != 0);
  }

  private boolean postedReserved(long low, long high) {
    return !m.pi()
        || (low & 0x3f_ff00_30fcL) != 0
        || (high & 0xfff0_0000L) != 0
        || (high >>> 32 << 32) >>> m.haw() != 0;
  }

  /** 11. */
  private Delivery post(long low, long high, boolean fpd, int index) {
    long at = high >>> 32 << 32 | low >>> 38 << 6;
    if (image.fails(at, 64, false) || image.fails(at, 64, true)) {
      return blocked(0x27, fpd, index);
    }
    long control = image.load(at + 32);
    if ((control & 0xff00_fffcL) != 0
        || (!m.eime() && (control & 0xffff_00ff_0000_0000L) != 0)
        || image.load(at + 40) != 0
        || image.load(at + 48) != 0
        || image.load(at + 56) != 0) {
      return blocked(0x28, fpd, index);
    }
    int vector = (int) (low >>> 16 & 0xff);
    boolean urgent = (low >>> 14 & 1) != 0;
    long word = at + 8 * (vector >>> 6);
    image.store(word, image.load(word) | 1L << (vector & 63));
    boolean notify = (control & 1) == 0 && (urgent || (control & 2) == 0);
    if (!notify) {
      return new Delivery("recorded", 0, 0, 0, false, -1);
    }
    image.store(at + 32, control | 1);
    long destination = m.eime() ? control >>> 32 : control >>> 40 & 0xff;
    return new Delivery(
        "recorded", message(destination), (int) (control >>> 16 & 0xff), 0, false, -1);
  }
}
