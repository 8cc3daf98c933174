package org.iommu4j.amdvi.oracle;

import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a request of a device comes to: the sheet's steps, one after another. */
public final class Oracle {
  private static final long TR = 1L << 56;
  private static final long RW = 1L << 53;

  private final Machine m;
  private final Image image;

  /** Devices whose first page fault was logged and whose entry says SE. */
  private final Set<Integer> quiet = new HashSet<>();

  public Oracle(Machine m, Image image) {
    this.m = m;
    this.image = image;
  }

  /** The device table was changed, and every entry was invalidated. */
  public void forget() {
    quiet.clear();
  }

  /** What the request comes to; A and D bits are set in the image. */
  public Answer ask(Ask ask) {
    Request request = new Request(ask);
    try {
      return request.process();
    } catch (Stop stop) {
      return request.refuse(stop);
    }
  }

  /** One request on its way. */
  private final class Request implements HostTables.Faults {
    private final Ask ask;
    private Dte dte = new Dte(0, 0, 0, 0);

    Request(Ask ask) {
      this.ask = ask;
    }

    /** Section 11.1. */
    Answer process() {
      // 2. Where it goes if the unit is off is not asked here.
      boolean messages =
          Machine.interruptRange(ask.address())
              && !ask.hasPasid()
              && ask.kind() == Ask.Kind.UNTRANSLATED;
      if (messages && ask.posted()) {
        return Answer.message(ask.address());
      }
      // 1.
      if (!m.iommuEn()) {
        return Answer.unchanged(ask.address());
      }
      // 3.
      long at = Dte.find(m, ask.device());
      if (at < 0) {
        throw fault(Rule.DEVICE_OUT_OF_TABLE, ask.address());
      }
      if (image.fails(at, 32, false)) {
        throw hardware(Rule.DEVICE_TABLE_READ, at, image.why(at));
      }
      dte = Dte.read(image, at);
      if (messages) {
        throw fault(Rule.INTERRUPT_RANGE, ask.address());
      }
      // 4.
      if (!dte.v()) {
        return Answer.unchanged(ask.address());
      }
      // 5.
      if (dte.reserved(m)) {
        throw fault(Rule.DTE_RESERVED, ask.address());
      }
      if (dte.ioCtl() == 3) {
        throw fault(Rule.DTE_IO_CONTROL, ask.address());
      }
      if (dte.mode() == 7) {
        throw fault(Rule.DTE_MODE, ask.address());
      }
      // 11.4
      if (ask.kind() != Ask.Kind.UNTRANSLATED && !(dte.i() && m.iotlbSup())) {
        throw fault(
            ask.ats() ? Rule.TRANSLATION_WITHOUT_IOTLB : Rule.TRANSLATED_WITHOUT_IOTLB,
            ask.address());
      }
      if (ask.translated()) {
        return Answer.unchanged(ask.address());
      }
      if (ask.ats() && Machine.interruptRange(ask.address()) && !ask.hasPasid()) {
        throw fault(Rule.TRANSLATION_WITHOUT_IOTLB, ask.address());
      }
      // 6.
      if (excluded()) {
        return Answer.unchanged(ask.address());
      }
      // 7.
      if (!dte.tv()) {
        throw fault(Rule.BLOCKED, ask.address());
      }
      // 8.
      if (m.hyperTransport(ask.address()) && !ask.hasPasid()) {
        Answer answer = special();
        if (answer != null) {
          return answer;
        }
      }
      // 9.
      return translate();
    }

    /** Section 11.2. */
    private boolean excluded() {
      boolean on = !m.snpSup() && (m.exclusionBase() & 1) != 0;
      boolean all = (m.exclusionBase() & 2) != 0;
      long page = ask.address() & ~0xfffL;
      return on
          && (all || dte.ex())
          && !ask.hasPasid()
          && Long.compareUnsigned(page, Machine.page(m.exclusionBase())) >= 0
          && Long.compareUnsigned(page, Machine.page(m.exclusionLimit())) <= 0;
    }

    /** Section 11.3; null if the address is translated. */
    private @Nullable Answer special() {
      long a = ask.address();
      boolean posted = !ask.ats() && ask.posted();
      if (a < 0xfd_f800_0000L) {
        throw other(posted ? Rule.INTERRUPT_RESERVED : Rule.RESERVED_RANGE);
      }
      if (a < 0xfd_f900_0000L) {
        if (posted && (!dte.iv() || dte.intCtl() == 1)) {
          return Answer.unchanged(a);
        }
        throw other(posted ? Rule.INTERRUPT_ABORTED : Rule.INTERRUPT_RANGE);
      }
      if (a >= 0xfd_f910_0000L && a < 0xfd_f920_0000L) {
        if (dte.sysMgt() == 3) {
          return null;
        }
        if (dte.sysMgt() == 1 && posted) {
          return Answer.unchanged(a);
        }
        throw other(posted ? Rule.SYSTEM_MANAGEMENT : Rule.SYSTEM_MANAGEMENT_READ);
      }
      if (a >= 0xfd_fc00_0000L && a < 0xfd_fe00_0000L) {
        if (dte.ioCtl() == 1) {
          return Answer.unchanged(a);
        }
        if (dte.ioCtl() == 2) {
          return null;
        }
        throw other(Rule.PORT_IO);
      }
      throw other(Rule.RESERVED_RANGE);
    }

    /** Section 12.2: translation requests have two types alone. */
    private Stop other(Rule rule) {
      return fault(ask.ats() ? Rule.TRANSLATION_WITHOUT_IOTLB : rule, ask.address());
    }

    /** Sections 3.3, 5.3 and 4.4 step 1. */
    private Answer translate() {
      boolean guest = dte.gv() && m.gtEn();
      if (ask.hasPasid() && !guest) {
        throw fault(Rule.PASID_WITHOUT_GUEST, ask.address());
      }
      boolean read = !ask.ats() && ask.reads();
      boolean write = !ask.ats() && ask.writes();
      if ((read && !dte.ir()) || (write && !dte.iw())) {
        throw fault(Rule.DTE_PERMISSION, ask.address());
      }
      HostTables host = new HostTables(m, image, dte, this);
      if (!guest || !(ask.hasPasid() || dte.giov())) {
        HostTables.Leaf leaf = host.walk(ask.address(), read, write, write);
        if (ask.ats() && leaf.w()) {
          host.dirty(leaf);
        }
        return answer(leaf, leaf.shift(), true, true, true);
      }
      // Tables of a guest count as written, where they may be.
      GuestTables.Host tables = (gpa, changed) -> host.table(gpa, changed, true).out();
      GuestTables walker = new GuestTables(m, image, dte, tables, this);
      GuestTables.Leaf g = walker.walk(ask, Math.max(0, ask.pasid()), ask.pasid() > 0);
      HostTables.Leaf leaf = host.walk(g.gpa(), read, write, write);
      boolean w = g.w();
      if (ask.ats() && g.w() && leaf.w()) {
        w = walker.dirty(g, host.table(g.entry(), false, false).w());
        if (w) {
          host.dirty(leaf);
        }
      }
      return answer(leaf, Math.min(g.shift(), leaf.shift()), g.r(), w, g.x());
    }

    private Answer answer(HostTables.Leaf leaf, int shift, boolean r, boolean w, boolean x) {
      return Answer.granted(
          leaf.out(), shift, leaf.r() && r, leaf.w() && w, leaf.r() && x, leaf.untranslatedOnly());
    }

    @Override
    public Stop fault(Rule rule, long address) {
      boolean direction = rule.code() <= 4 && !ask.ats() && ask.writes();
      return new Stop(
          rule,
          (direction ? RW : 0) | (ask.ats() ? TR : 0) | names(rule),
          rule.code() == 1 ? address & ~3L : address);
    }

    @Override
    public Stop hardware(Rule rule, long address, long type) {
      return new Stop(
          rule,
          (!ask.ats() && ask.writes() ? RW : 0) | (ask.ats() ? TR : 0) | names(rule) | type << 57,
          address);
    }

    private long names(Rule rule) {
      long pasid = Math.max(0, ask.pasid());
      long split = (pasid & 0xffff) << 32 | pasid >>> 16 << 16;
      long carried = ask.hasPasid() ? split | 1L << 48 : 0;
      return ask.device()
          | switch (rule.code()) {
            case 2, 4 -> rule.guest() ? split : (long) dte.domain() << 32;
            case 1, 8 -> carried;
            default -> 0;
          };
    }

    Answer refuse(Stop stop) {
      boolean page = stop.code() == 2;
      boolean logged = !(page && (ask.ats() || dte.sa() || quiet.contains(ask.device())));
      if (page && logged && dte.se()) {
        quiet.add(ask.device());
      }
      if (page && ask.ats()) {
        return Answer.nothing(stop.cause, false, stop.flags, stop.address);
      }
      return Answer.aborted(stop.cause, logged, stop.flags, stop.address);
    }
  }
}
