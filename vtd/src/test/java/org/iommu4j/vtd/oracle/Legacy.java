package org.iommu4j.vtd.oracle;

/** Legacy mode: root, context, second stage. */
final class Legacy {
  private final Machine m;
  private final Image image;
  private final Oracle.Met met;

  Legacy(Machine m, Image image, Oracle.Met met) {
    this.m = m;
    this.image = image;
    this.met = met;
  }

  Answer translate(Ask ask) {
    // 2.
    long at = m.root() + 16L * (ask.sid() >>> 8 & 0xff);
    if (image.fails(at, 16, false)) {
      throw new Stop("LRT.1");
    }
    long root = image.load(at);
    // 3.
    if ((root & 1) == 0) {
      throw new Stop("LRT.2");
    }
    // 4.
    if ((root & 0xffe) != 0 || m.aboveHost(root) || image.load(at + 8) != 0) {
      throw new Stop("LRT.3");
    }
    // 5.
    at = Machine.page(root) + 16L * (ask.sid() & 0xff);
    if (image.fails(at, 16, false)) {
      throw new Stop("LCT.1");
    }
    long low = image.load(at);
    long high = image.load(at + 8);
    met.fpd = (low & 2) != 0;
    if ((low & 1) == 0) {
      throw new Stop("LCT.2");
    }
    int tt = (int) (low >>> 2 & 3);
    int aw = (int) (high & 7);
    int did = (int) (high >>> 8 & 0xffff);
    if ((low & 0xff0) != 0
        || (tt != 2 && m.aboveHost(low))
        || (high & 0x80) != 0
        || high >>> 24 != 0
        || did >>> m.domainBits() != 0) {
      throw new Stop("LCT.3");
    }
    if (!m.sagaw(aw) || (tt == 2 && aw != m.widest())) {
      throw new Stop("LCT.4.1");
    }
    if (tt == 3 || (tt == 1 && !m.dt()) || (tt == 2 && !m.pt())) {
      throw new Stop("LCT.4.2");
    }
    // 6.
    if (!ask.untranslated() && tt != 1) {
      throw new Stop("LCT.5");
    }
    if (ask.ats() && Machine.interruptRange(ask.address())) {
      return special(ask);
    }
    // 7.
    if (tt == 2) {
      if (ask.address() >>> m.haw() != 0) {
        throw new Stop("LGN.1.3");
      }
      return Answer.unchanged(ask.address());
    }
    // 8.
    if (ask.translated()) {
      if (ask.address() >>> m.haw() != 0) {
        throw new Stop("LGN.1.2");
      }
      return outside(Answer.unchanged(ask.address()));
    }
    // 9.
    SecondStage second = new SecondStage(m, image, true, Machine.page(low), aw, false, true);
    if (second.tooWide(ask.address())) {
      throw new Stop("LGN.1.1");
    }
    // 10. and 11.
    SecondStage.Leaf leaf = second.walk(ask.address());
    if (ask.ats()) {
      if (leaf.nothing()) {
        throw new Stop("LGN.3");
      }
      boolean w = leaf.w() && !(ask.noWrite() && m.nwfs());
      return outside(Answer.granted(leaf.out(), leaf.shift(), leaf.r(), w));
    }
    second.permit(ask, leaf);
    return outside(Answer.granted(leaf.out(), leaf.shift(), leaf.r(), leaf.w()));
  }

  /** 12. */
  private static Answer outside(Answer answer) {
    if (Machine.interruptRange(answer.pa())) {
      throw new Stop("LGN.4");
    }
    return answer;
  }

  /** A translation request for the interrupt range. */
  static Answer special(Ask ask) {
    return new Answer(
        "success", "", false, ask.address(), 64, false, !ask.noWrite(), !ask.noWrite());
  }
}
