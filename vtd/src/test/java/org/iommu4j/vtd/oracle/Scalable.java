package org.iommu4j.vtd.oracle;

/** Scalable mode: root, context, PASID directory and table, and the stages behind them. */
final class Scalable {
  private final Machine m;
  private final Image image;
  private final Oracle.Met met;

  Scalable(Machine m, Image image, Oracle.Met met) {
    this.m = m;
    this.image = image;
    this.met = met;
  }

  private static void stopIf(boolean condition, String id) {
    if (condition) {
      throw new Stop(id);
    }
  }

  Answer translate(Ask ask) {
    // 1.
    int devfn = ask.sid() & 0xff;
    long at = m.root() + 16L * (ask.sid() >>> 8 & 0xff) + (devfn >= 0x80 ? 8 : 0);
    stopIf(image.fails(at, 8, false), "SRT.1");
    long root = image.load(at);
    stopIf((root & 1) == 0, "SRT.2");
    stopIf((root & 0xffe) != 0 || m.aboveHost(root), "SRT.3");
    // 2.
    at = Machine.page(root) + 32L * (devfn & 0x7f);
    stopIf(image.fails(at, 32, false), "SCT.1");
    long c = image.load(at);
    long rid = image.load(at + 8);
    met.fpd = (c & 2) != 0;
    stopIf((c & 1) == 0, "SCT.2");
    boolean dte = (c & 4) != 0;
    boolean paside = (c & 8) != 0;
    boolean pre = (c & 16) != 0;
    boolean hpte = (c & 32) != 0;
    boolean eptr = (c & 64) != 0;
    int pdts = (int) (c >>> 9 & 7);
    int ridPasid = (int) (rid & 0xf_ffff);
    boolean ridPriv = (rid >>> 20 & 1) != 0;
    stopIf(
        (c & 0x180) != 0
            || m.aboveHost(c)
            || (dte && !m.dt())
            || (paside && !m.pasid())
            || (pre && !m.prs())
            || (hpte && !m.hpts())
            || (eptr && !m.ptrs())
            || (ridPasid != 0 && !m.rps())
            || (ridPriv && !m.rprivs())
            || rid >>> 21 != 0
            || image.load(at + 16) != 0
            || image.load(at + 24) != 0,
        "SCT.3");
    // 3.
    int reach = 1 << (pdts + 13);
    stopIf(!dte && pre, "SCT.4.1");
    stopIf(ridPasid >= reach, "SCT.4.2");
    stopIf(eptr && !paside && (!ask.hasPasid() || ask.translated()), "SCT.4.3");
    // 4.
    stopIf(!ask.untranslated() && !dte, "SCT.5");
    // 5.
    stopIf(ask.hasPasid() && !ask.translated() && !paside, "SCT.6");
    // 6.
    stopIf(ask.hasPasid() && ask.pasid() >= reach, "SCT.7");
    // 8.
    stopIf(ask.hasPasid() && ask.pasid() == ridPasid, "SCT.9");
    // 9.
    stopIf(ask.hasPasid() && ask.translated() && !eptr, "SCT.10");
    // 10.
    int pasid = ask.hasPasid() ? ask.pasid() : ridPasid;
    boolean privileged = ask.hasPasid() ? ask.privileged() : ridPriv;
    // 11.
    stopIf(ask.hasPasid() && pasid >>> m.pasidBits() != 0, "SGN.10");
    // 12.
    at = Machine.page(c) + 8L * (pasid >>> 6);
    stopIf(image.fails(at, 8, false), "SPD.1");
    long directory = image.load(at);
    met.fpd |= (directory & 2) != 0;
    stopIf((directory & 1) == 0, "SPD.2");
    stopIf((directory & 0xffc) != 0 || m.aboveHost(directory), "SPD.3");
    // 13.
    at = Machine.page(directory) + 64L * (pasid & 0x3f);
    stopIf(image.fails(at, 64, false), "SPT.1");
    long[] q = new long[8];
    for (int i = 0; i < 8; i++) {
      q[i] = image.load(at + 8 * i);
    }
    PasidEntry e = new PasidEntry(q);
    met.fpd |= e.fpd();
    stopIf((q[0] & 1) == 0, "SPT.2");
    stopIf(e.reserved(m, hpte), "SPT.3");
    // 14.
    String wrong = e.wrong(m);
    stopIf(!wrong.isEmpty(), wrong);
    if (ask.translated()) {
      // 17.
      return translated(ask, hpte, q);
    }
    // 15.
    stopIf(ask.execute() && ask.hasPasid() && !m.ers(), "SPT.5");
    // 16.
    stopIf(privileged && e.firstStage() && !e.sre(), "SPT.6");
    if (ask.ats() && Machine.interruptRange(ask.address()) && (!ask.hasPasid() || e.pgtt() == 4)) {
      return Legacy.special(ask);
    }
    return stages(ask, e, privileged);
  }

  private Answer translated(Ask ask, boolean hpte, long[] q) {
    if (hpte) {
      met.hptPfd = (q[4] & 4) != 0;
      new HostPermissions(m, image, q[4]).check(ask);
    } else {
      stopIf(ask.address() >>> m.haw() != 0, "SGN.4.1");
    }
    return outside(Answer.unchanged(ask.address()));
  }

  private Answer stages(Ask ask, PasidEntry e, boolean privileged) {
    boolean noWrite = ask.ats() && ask.noWrite() && m.nwfs();
    // 18.
    if (e.pgtt() == 4) {
      stopIf(ask.address() >>> m.haw() != 0, "SGN.4.2");
      return outside(Answer.granted(ask.address(), 64, true, !noWrite));
    }
    SecondStage second =
        e.secondStage()
            ? new SecondStage(m, image, false, e.ssptptr(), e.aw(), e.ssade(), e.pwsnp())
            : null;
    // 19. and 21.
    long address = ask.address();
    int shift = 64;
    boolean r = true;
    boolean w = true;
    FirstStage first = new FirstStage(m, image, e, second);
    FirstStage.Leaf leaf = null;
    if (e.firstStage()) {
      leaf = first.walk(ask, privileged);
      address = leaf.out();
      shift = leaf.shift();
      w = leaf.w();
    }
    // 20. and 21.
    SecondStage.Leaf page = null;
    if (second != null) {
      stopIf(second.tooWide(address), "SGN.5");
      page = second.walk(address);
      if (!ask.ats()) {
        second.permit(ask, page);
        if (ask.writes()) {
          second.dirty(page);
        }
      }
      address = page.out();
      shift = Math.min(shift, page.shift());
      r &= page.r();
      w &= page.w();
    }
    w &= !noWrite;
    // 22.
    Answer answer = outside(Answer.granted(address, shift, r, w));
    // No later request of the device will tell that it writes.
    if (ask.ats() && w) {
      if (leaf != null) {
        first.dirty(leaf);
      }
      if (second != null && page != null) {
        second.dirty(page);
      }
    }
    return answer;
  }

  private static Answer outside(Answer answer) {
    stopIf(Machine.interruptRange(answer.pa()), "SGN.8");
    return answer;
  }
}
