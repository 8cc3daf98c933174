package org.iommu4j.riscv.oracle;

import java.util.Set;

/** The process to translate an IOVA, in the specification's twenty steps. */
public final class Oracle {
  /** Recorded although DTF is 1. */
  private static final Set<Integer> ALWAYS = Set.of(256, 257, 258, 259, 268, 272, 273);

  /** A translation request that ends so is refused as unsupported. */
  private static final Set<Integer> UNSUPPORTED = Set.of(256, 257, 258, 259, 260);

  /** A translation request that ends so is answered: nothing is granted. */
  private static final Set<Integer> NOTHING_GRANTED = Set.of(12, 13, 15, 20, 21, 23, 262, 266);

  private final Machine m;
  private final Image image;

  public Oracle(Machine m, Image image) {
    this.m = m;
    this.image = image;
  }

  private boolean dtf;

  /** What the request comes to; A and D bits are set in the image. */
  public Answer ask(Ask ask) {
    dtf = false;
    try {
      return process(ask);
    } catch (Stop stop) {
      boolean logged = ALWAYS.contains(stop.cause) || !dtf;
      if (!ask.ats()) {
        return Answer.refused("ur", stop.cause, stop.iotval2, logged);
      }
      if (NOTHING_GRANTED.contains(stop.cause)) {
        return Answer.refused("success", stop.cause, stop.iotval2, false);
      }
      String status = UNSUPPORTED.contains(stop.cause) ? "ur" : "ca";
      return Answer.refused(status, stop.cause, stop.iotval2, logged);
    }
  }

  private Answer process(Ask ask) {
    boolean untranslated = ask.kind() == Ask.Kind.UNTRANSLATED;
    boolean translated = ask.kind() == Ask.Kind.TRANSLATED;
    // 1.
    if (m.mode() == 0) {
      throw new Stop(256);
    }
    // 2.
    if (m.mode() == 1) {
      if (!untranslated) {
        throw new Stop(260);
      }
      return unchanged(ask.iova());
    }
    // 3. to 5.
    if (Device.tooWide(m, ask.did())) {
      throw new Stop(260);
    }
    // 6.
    Device d = Device.locate(m, image, ask.did());
    dtf = d.dtf();
    // 7.
    if (!untranslated && !d.enAts()) {
      throw new Stop(260);
    }
    if (ask.hasPasid() && !d.pdtv()) {
      throw new Stop(260);
    }
    if (ask.hasPasid() && d.fscMode() == 1 && ask.pasid() > 0xff) {
      throw new Stop(260);
    }
    if (ask.hasPasid() && d.fscMode() == 2 && ask.pasid() > 0x1_ffff) {
      throw new Stop(260);
    }
    // 8.
    if (translated && !d.t2gpa()) {
      return unchanged(ask.iova());
    }
    // 9.
    if (translated) {
      return stages(ask, d, 0, 0, false, false);
    }
    // 10.
    if (!d.pdtv()) {
      return stages(ask, d, d.fscMode(), Device.page(d.fsc), false, ask.supervisor());
    }
    // 11.
    int pid = ask.pasid();
    boolean supervisor = ask.supervisor();
    if (!ask.hasPasid() && d.dpe()) {
      pid = 0;
    }
    // 12. and 13.
    if (pid < 0 || d.fscMode() == 0) {
      return stages(ask, d, 0, 0, false, supervisor);
    }
    // 14.
    long[] context = d.process(ask, pid, new Stages(m, image, d, ask, false));
    // 15.
    boolean ens = (context[0] & 2) != 0;
    if (supervisor && !ens) {
      throw new Stop(260);
    }
    // 16.
    boolean sum = (context[0] & 4) != 0;
    int mode = (int) (context[1] >>> 60);
    return stages(ask, d, mode, Device.page(context[1]), sum, supervisor);
  }

  private static Answer unchanged(long address) {
    return new Answer(
        "success", 0, 0, false, address, 64, true, true, true, true, 0, false, false, false, 0, 0,
        0, address, false, -1, 0);
  }

  private Answer stages(Ask ask, Device d, int mode, long root, boolean sum, boolean supervisor) {
    Stages s = new Stages(m, image, d, ask, sum);
    // 17.
    Stages.Leaf first = s.first(ask.iova(), mode, root, supervisor);
    long gpa = first.out();
    // 18.
    if (d.msiMode() == 1 && matches(d, gpa)) {
      return message(ask, d, first);
    }
    // 19.
    Stages.Leaf second;
    try {
      second = s.second(gpa, ask.needs(), !ask.ats(), false);
    } catch (Stages.GuestPageFault f) {
      throw Stop.guestPage(ask, gpa & ~3L);
    } catch (Stages.LoadFailure f) {
      throw f.poisoned ? new Stop(274) : Stop.access(ask);
    }
    // 20.
    return new Answer(
        "success",
        0,
        0,
        false,
        second.out(),
        Math.min(first.shift(), second.shift()),
        first.has(Stages.R) && second.has(Stages.R),
        first.has(Stages.W) && second.has(Stages.W),
        first.has(Stages.D) && second.has(Stages.D),
        first.has(Stages.X) && second.has(Stages.X),
        first.pbmt() != 0 ? first.pbmt() : second.pbmt(),
        first.global(),
        false,
        false,
        0,
        0,
        0,
        gpa,
        d.t2gpa(),
        d.msiMode() == 1 ? d.mask : -1,
        d.pattern);
  }

  /** Page numbers are compared up to the widest guest address. */
  private boolean matches(Device d, long gpa) {
    long looked = (1L << (m.guestBits() - 12)) - 1;
    return (gpa >>> 12 & looked & ~d.mask) == (d.pattern & looked & ~d.mask);
  }

  /** §7.3 of the sheet. */
  private Answer message(Ask ask, Device d, Stages.Leaf first) {
    long index = 0;
    int packed = 0;
    for (int bit = 0; bit < 52; bit++) {
      if ((d.mask >>> bit & 1) != 0) {
        index |= (first.out() >>> (12 + bit) & 1) << packed++;
      }
    }
    long at = Device.page(d.msiptp) | index * 16;
    Image.Status status = image.status(at, 16, false);
    if (status != Image.Status.OK) {
      throw new Stop(status == Image.Status.POISONED ? 270 : 261);
    }
    long low = image.load(at, 8, m.be());
    long high = image.load(at + 8, 8, m.be());
    if ((low & 1) == 0) {
      throw new Stop(262);
    }
    int kind = (int) (low >>> 1 & 3);
    boolean custom = low < 0;
    boolean basicWrong = kind == 3 && (low & 0x7fc0_0000_0000_03f8L) != 0;
    boolean mrifWrong =
        kind == 1
            && (!m.msiMrif()
                || (low & 0x7fc0_0000_0000_0078L) != 0
                || (high & 0xefc0_0000_0000_0000L) != 0);
    if (custom || kind == 0 || kind == 2 || basicWrong || mrifWrong) {
      throw new Stop(263);
    }
    if (!ask.ats() && (ask.needs() & 4) != 0) {
      throw new Stop(1);
    }
    boolean mrif = kind == 1;
    long page = (low >>> 10 & 0xfff_ffff_ffffL) << 12;
    return new Answer(
        "success",
        0,
        0,
        false,
        mrif ? 0 : page | first.out() & 0xfff,
        12,
        first.has(Stages.R),
        first.has(Stages.W),
        first.has(Stages.D),
        false,
        first.pbmt(),
        false,
        true,
        mrif,
        (low >>> 7 & 0x7fff_ffff_ffffL) << 9,
        (high >>> 10 & 0xfff_ffff_ffffL) << 12,
        (int) (high & 0x3ff | high >>> 50 & 0x400),
        first.out(),
        d.t2gpa(),
        -1,
        0);
  }
}
