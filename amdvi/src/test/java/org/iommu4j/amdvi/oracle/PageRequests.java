package org.iommu4j.amdvi.oracle;

/** What a page request of a device comes to. */
public final class PageRequests {
  /**
   * @param cause the cause's name; empty if the request is logged in the PPR log
   * @param first the entry's or the event's first word
   * @param second the entry's or the event's second word
   */
  public record Outcome(String cause, long first, long second) {}

  private final Machine m;
  private final Image image;

  public PageRequests(Machine m, Image image) {
    this.m = m;
    this.image = image;
  }

  /** Whether the device has an entry, and nothing is wrong with it: all else is not modelled. */
  public boolean knows(int device) {
    long at = Dte.find(m, device);
    if (!m.iommuEn() || at < 0 || image.fails(at, 32, false)) {
      return false;
    }
    Dte dte = Dte.read(image, at);
    boolean through = m.snp() && dte.tv() && dte.mode() == 0;
    return !dte.v() || !(dte.reserved(m) || dte.ioCtl() == 3 || dte.mode() == 7 || through);
  }

  /**
   * A request of a device that {@link #knows} accepts.
   *
   * @param pasid -1 for none
   * @param payload bit 0 R, 1 W, 2 last, 11:3 group index, 63:12 page address
   */
  public Outcome ask(int device, int pasid, boolean privileged, boolean execute, long payload) {
    boolean present = pasid >= 0;
    long p = Math.max(0, pasid);
    boolean last = (payload & 4) != 0;
    long tag = payload >>> 3 & 0x1ff | (last ? 0x200 : 0);
    long names = device | (p & 0xffff) << 16 | tag << 32 | p >>> 16 << 42;
    long address = payload & ~0xfffL;
    Dte dte = Dte.read(image, Dte.find(m, device));
    if (!m.pprEn() || !dte.v() || !(m.ephEn() ? dte.ppr() : dte.i())) {
      return new Outcome("PPR_NOT_ALLOWED", 9L << 60 | names, address);
    }
    if (present && !(m.gtEn() && dte.gv())) {
      return new Outcome("PPR_WITHOUT_GUEST", 9L << 60 | names, address);
    }
    long flags =
        (present && execute ? 1L << 49 : 0)
            | ((payload & 1) != 0 ? 1L << 50 : 0)
            | ((payload & 2) != 0 ? 1L << 53 : 0)
            | (present && privileged ? 0 : 1L << 54)
            | (present ? 1L << 56 : 0);
    return new Outcome("", 1L << 60 | flags | names, address);
  }
}
