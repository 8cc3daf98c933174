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

  private final @Nullable ReverseMap rmp;

  /**
   * @param rmp the reverse map table of a unit with SNP
   */
  public Oracle(Machine m, Image image, @Nullable ReverseMap rmp) {
    this.m = m;
    this.image = image;
    this.rmp = rmp;
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

    /** log2 of the page that tables map the address to. */
    private int page = 12;

    /** What a record of the reverse map table names. */
    private long gpa;

    /** It goes to a special range. */
    private boolean noMemory;

    Request(Ask ask) {
      this.ask = ask;
      this.gpa = ask.address();
    }

    /** What all else comes to, and then the reverse map table. */
    Answer process() {
      Answer a = steps();
      if (rmp == null || !m.snp() || !a.status().equals("granted") || !a.writable() || noMemory) {
        return a;
      }
      boolean large = page >= 21;
      ReverseMap.Verdict verdict = rmp.write(a.pa(), large);
      if (verdict == ReverseMap.Verdict.FREE) {
        return a.writableIn(large ? 21 : 12);
      }
      boolean unreadable = verdict == ReverseMap.Verdict.UNREADABLE;
      if (ask.writes() && unreadable) {
        throw hardware(Rule.RMP_HARDWARE, rmp.failed, rmp.image.why(rmp.failed));
      }
      if (ask.writes() && !ask.ats()) {
        boolean taken = verdict == ReverseMap.Verdict.TAKEN;
        throw fault(taken ? Rule.RMP_PAGE_FAULT : Rule.RMP_LARGE_PAGE, gpa);
      }
      return Answer.granted(
          a.pa(), a.sizeShift(), a.readable(), false, a.executable(), a.untranslatedOnly());
    }

    @Override
    public @Nullable Stop update(long at, long recorded) {
      if (rmp == null || !m.snp()) {
        return null;
      }
      return switch (rmp.write(at, false)) {
        case FREE -> null;
        case UNREADABLE -> hardware(Rule.RMP_HARDWARE, rmp.failed, rmp.image.why(rmp.failed));
        default -> fault(Rule.RMP_TABLE_WRITE, recorded);
      };
    }

    /** Section 11.1. */
    private Answer steps() {
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
        if (ask.kind() == Ask.Kind.UNTRANSLATED) {
          return Answer.unchanged(ask.address());
        }
        throw noDeviceIotlb();
      }
      // 5.
      if (dte.reserved(m)) {
        throw fault(Rule.DTE_RESERVED, ask.address());
      }
      if (dte.ioCtl() == 3) {
        throw fault(Rule.DTE_IO_CONTROL, ask.address());
      }
      if (dte.mode() == 7 || (m.snp() && dte.tv() && dte.mode() == 0)) {
        throw fault(Rule.DTE_MODE, ask.address());
      }
      // 11.4
      if (ask.kind() != Ask.Kind.UNTRANSLATED && !(dte.i() && m.iotlbSup())) {
        throw noDeviceIotlb();
      }
      if (ask.translated()) {
        return Answer.unchanged(ask.address());
      }
      if (ask.ats() && Machine.interruptRange(ask.address()) && !ask.hasPasid()) {
        throw fault(Rule.TRANSLATION_OF_SPECIAL_RANGE, ask.address());
      }
      // 6.
      if (excluded()) {
        return Answer.unchanged(ask.address());
      }
      // 8. comes before 7.: the list of invalid requests tells special ranges apart for TV = 0.
      if (m.hyperTransport(ask.address()) && !ask.hasPasid()) {
        Answer answer = special();
        if (answer != null) {
          noMemory = true;
          return answer;
        }
      }
      // 7.
      if (!dte.tv()) {
        throw fault(ask.ats() ? Rule.TRANSLATION_NOT_ALLOWED : Rule.BLOCKED, ask.address());
      }
      // 9.
      return translate();
    }

    private Stop noDeviceIotlb() {
      return fault(
          ask.ats() ? Rule.TRANSLATION_NOT_ALLOWED : Rule.TRANSLATED_WITHOUT_IOTLB, ask.address());
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
      if (a < 0xfd_f910_0000L) {
        if (!posted) {
          throw other(Rule.INTERRUPT_RANGE);
        }
        if (a < 0xfd_f800_0000L || a >= 0xfd_f900_0000L) {
          throw other(Rule.INTERRUPT_RESERVED);
        }
        if (dte.iv() && dte.intCtl() != 1) {
          throw other(Rule.INTERRUPT_ABORTED);
        }
        return Answer.unchanged(a);
      }
      if (a < 0xfd_f920_0000L) {
        if (dte.sysMgt() == 3) {
          return withTables();
        }
        if (dte.sysMgt() == 1 && posted) {
          return Answer.unchanged(a);
        }
        throw other(posted ? Rule.SYSTEM_MANAGEMENT : Rule.SYSTEM_MANAGEMENT_READ);
      }
      if (a >= 0xfd_fc00_0000L && a < 0xfd_fe00_0000L) {
        if (dte.ioCtl() == 2) {
          return withTables();
        }
        if (dte.ioCtl() == 1 && !ask.ats()) {
          return Answer.unchanged(a);
        }
        throw other(Rule.PORT_IO);
      }
      return null;
    }

    private @Nullable Answer withTables() {
      if (dte.tv()) {
        return null;
      }
      throw other(Rule.RANGE_WITHOUT_TRANSLATION);
    }

    /** Section 12.2: translation requests have one type for all ranges. */
    private Stop other(Rule rule) {
      return fault(ask.ats() ? Rule.TRANSLATION_OF_SPECIAL_RANGE : rule, ask.address());
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
        boolean marked = !ask.ats() || !leaf.w() || host.dirty(leaf);
        page = leaf.shift();
        return answer(leaf, leaf.shift(), true, marked, true);
      }
      // Tables of a guest count as written, where they may be.
      GuestTables.Host tables = (gpa, changed) -> host.table(gpa, changed, true).out();
      GuestTables walker = new GuestTables(m, image, dte, tables, this);
      GuestTables.Leaf g = walker.walk(ask, Math.max(0, ask.pasid()), ask.pasid() > 0);
      HostTables.Leaf leaf = host.walk(g.gpa(), read, write, write);
      boolean w = g.w();
      if (ask.ats() && g.w() && leaf.w()) {
        w = walker.dirty(g, host.table(g.entry(), false, false).w());
        w = w && host.dirty(leaf);
      }
      page = Math.min(g.shift(), leaf.shift());
      gpa = g.gpa();
      return answer(leaf, Math.min(g.shift(), leaf.shift()), g.r(), w, g.x());
    }

    private Answer answer(HostTables.Leaf leaf, int shift, boolean r, boolean w, boolean x) {
      return Answer.granted(
          leaf.out(), shift, leaf.r() && r, leaf.w() && w, leaf.r() && x, leaf.untranslatedOnly());
    }

    @Override
    public Stop fault(Rule rule, long address) {
      boolean told = rule.code() <= 4 || rule.code() == 13;
      boolean direction = told && !ask.ats() && ask.writes();
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
      boolean logged =
          !(page && (ask.ats() || dte.sa() || quiet.contains(ask.device())))
              && !(stop.code() == 13 && ask.ats());
      if (page && logged && dte.se()) {
        quiet.add(ask.device());
      }
      if ((page || stop.code() == 13) && ask.ats()) {
        return Answer.nothing(stop.cause, false, stop.flags, stop.address);
      }
      return Answer.aborted(stop.cause, logged, stop.flags, stop.address);
    }
  }
}
