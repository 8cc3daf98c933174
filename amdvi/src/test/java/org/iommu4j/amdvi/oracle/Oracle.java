package org.iommu4j.amdvi.oracle;

import java.util.HashSet;
import java.util.Set;

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
      // 1.
      if (!m.iommuEn()) {
        if (ask.ats()) {
          return Answer.aborted("", false, 0, 0);
        }
        return Answer.unchanged(ask.address());
      }
      // 2.
      if (Machine.interruptRange(ask.address())
          && !ask.hasPasid()
          && ask.kind() == Ask.Kind.UNTRANSLATED
          && ask.posted()) {
        return Answer.message(ask.address());
      }
      // 3.
      long at = Dte.find(m, ask.device());
      if (at < 0) {
        throw fault(Rule.DEVICE_OUT_OF_TABLE, ask.address(), ask.writes());
      }
      if (image.fails(at, 32, false)) {
        throw hardware(Rule.DEVICE_TABLE_READ, at, image.why(at), ask.writes());
      }
      dte = Dte.read(image, at);
      // 4.
      if (!dte.v()) {
        return Answer.unchanged(ask.address());
      }
      // 5.
      if (dte.reserved(m)) {
        throw fault(Rule.DTE_RESERVED, ask.address(), ask.writes());
      }
      if (dte.ioCtl() == 3) {
        throw fault(Rule.DTE_IO_CONTROL, ask.address(), ask.writes());
      }
      // 11.4
      if (ask.ats() && !(dte.i() && m.iotlbSup())) {
        throw fault(Rule.TRANSLATION_WITHOUT_IOTLB, ask.address(), false);
      }
      if (ask.translated()) {
        if (!dte.i() || !m.iotlbSup()) {
          throw fault(Rule.TRANSLATED_WITHOUT_IOTLB, ask.address(), ask.writes());
        }
        return Answer.unchanged(ask.address());
      }
      if (Machine.interruptRange(ask.address()) && !ask.hasPasid()) {
        throw fault(
            ask.ats() ? Rule.TRANSLATION_WITHOUT_IOTLB : Rule.INTERRUPT_RANGE,
            ask.address(),
            ask.writes());
      }
      // 6.
      if (excluded()) {
        return Answer.unchanged(ask.address());
      }
      // 7.
      if (!dte.tv()) {
        throw fault(Rule.BLOCKED, ask.address(), ask.writes());
      }
      // 8.
      if (m.hyperTransport(ask.address()) && !ask.hasPasid()) {
        Answer answer = special();
        if (answer != null) {
          return answer;
        }
      }
      if (dte.mode() == 7) {
        throw fault(Rule.DTE_MODE, ask.address(), ask.writes());
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
    private @org.jspecify.annotations.Nullable Answer special() {
      if (ask.ats()) {
        throw fault(Rule.TRANSLATION_WITHOUT_IOTLB, ask.address(), false);
      }
      long a = ask.address();
      if (a < 0xfd_f800_0000L) {
        throw fault(ask.posted() ? Rule.INTERRUPT_RESERVED : Rule.RESERVED_RANGE, a, ask.writes());
      }
      if (a < 0xfd_f900_0000L) {
        if (!ask.posted()) {
          throw fault(Rule.INTERRUPT_RANGE, a, ask.writes());
        }
        throw fault(dte.intCtl() == 0 ? Rule.INTERRUPT_ABORTED : Rule.INTERRUPT_RESERVED, a, true);
      }
      if (a >= 0xfd_f910_0000L && a < 0xfd_f920_0000L) {
        switch (dte.sysMgt()) {
          case 3 -> {
            return null;
          }
          case 1 -> {
            if (ask.posted()) {
              return Answer.unchanged(a);
            }
          }
          default -> {}
        }
        throw fault(
            ask.posted() ? Rule.SYSTEM_MANAGEMENT : Rule.SYSTEM_MANAGEMENT_READ, a, ask.writes());
      }
      if (a >= 0xfd_fc00_0000L && a < 0xfd_fe00_0000L) {
        switch (dte.ioCtl()) {
          case 1 -> {
            return Answer.unchanged(a);
          }
          case 2 -> {
            return null;
          }
          default -> throw fault(Rule.PORT_IO, a, ask.writes());
        }
      }
      throw fault(Rule.RESERVED_RANGE, a, ask.writes());
    }

    /** Sections 3.3, 5.3 and 4.4 step 1. */
    private Answer translate() {
      boolean guest = dte.gv() && m.gtEn();
      if (ask.hasPasid() && !guest) {
        throw fault(Rule.PASID_WITHOUT_GUEST, ask.address(), ask.writes());
      }
      boolean read = !ask.ats() && ask.reads();
      boolean write = !ask.ats() && ask.writes();
      if ((read && !dte.ir()) || (write && !dte.iw())) {
        throw fault(Rule.DTE_PERMISSION, ask.address(), ask.writes());
      }
      if (dte.mode() > m.hostLevels()) {
        throw fault(Rule.MODE_UNSUPPORTED, ask.address(), ask.writes());
      }
      HostTables host = new HostTables(m, image, dte, this);
      if (!guest || !(ask.hasPasid() || dte.giov())) {
        HostTables.Leaf leaf = host.walk(ask.address(), read, write, ask.writes());
        return answer(leaf, leaf.out(), leaf.shift(), true, true, true);
      }
      GuestTables tables =
          new GuestTables(
              m, image, dte, (gpa, changed) -> host.walk(gpa, true, changed, changed).out(), this);
      GuestTables.Leaf g = tables.walk(ask, Math.max(0, ask.pasid()), ask.hasPasid());
      HostTables.Leaf leaf = host.walk(g.gpa(), read, write, ask.writes() && g.w());
      return answer(leaf, leaf.out(), Math.min(g.shift(), leaf.shift()), g.r(), g.w(), g.x());
    }

    private Answer answer(
        HostTables.Leaf leaf, long pa, int shift, boolean r, boolean w, boolean x) {
      return Answer.granted(
          pa, shift, leaf.r() && r, leaf.w() && w, leaf.r() && x, leaf.untranslatedOnly());
    }

    @Override
    public Stop fault(Rule rule, long address, boolean write) {
      boolean direction = rule.code() <= 4 && !ask.ats() && write;
      return new Stop(
          rule,
          (direction ? RW : 0) | (ask.ats() ? TR : 0) | names(rule),
          rule.code() == 1 ? address & ~3L : address);
    }

    @Override
    public Stop hardware(Rule rule, long address, long type, boolean write) {
      return new Stop(
          rule,
          (!ask.ats() && write ? RW : 0) | (ask.ats() ? TR : 0) | names(rule) | type << 57,
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
