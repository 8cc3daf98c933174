package org.iommu4j.amdvi.oracle;

import org.jspecify.annotations.Nullable;

/** What an interrupt message of a device comes to. */
public final class Interrupts {
  /**
   * @param kind "delivered", "posted", "posted with an interrupt" or "blocked"
   * @param address where the message or the doorbell goes; 0 if there is none
   * @param data its data
   * @param cause the cause's name; empty if there was none
   * @param logged whether an event is logged
   * @param first its first word
   * @param second its second word
   * @param gaLog the entry of the guest virtual APIC log; 0 if none is written
   */
  public record Delivery(
      String kind,
      long address,
      int data,
      String cause,
      boolean logged,
      long first,
      long second,
      long gaLog) {
    static Delivery to(long address, int data) {
      return new Delivery("delivered", address, data, "", false, 0, 0, 0);
    }
  }

  private static final long I = 1L << 51;

  private final Machine m;
  private final Image image;
  private final long[] smiFilters;
  private final @Nullable ReverseMap rmp;

  public Interrupts(Machine m, Image image, @Nullable ReverseMap rmp) {
    this(m, image, rmp, new long[0]);
  }

  /**
   * @param rmp the reverse map table of a unit with SNP
   * @param smiFilters the SMI filter registers, with SmiFEn = 1
   */
  public Interrupts(Machine m, Image image, @Nullable ReverseMap rmp, long[] smiFilters) {
    this.m = m;
    this.rmp = rmp;
    this.image = image;
    this.smiFilters = smiFilters.clone();
  }

  private Delivery blocked(Rule rule, int device, Dte dte, long address, long more, boolean quiet) {
    boolean named = rule.code() == 2 || rule.code() == 4;
    // Words 0 and 1 say nothing without V.
    long domain = named && dte.v() ? (long) dte.domain() << 32 : 0;
    long second = rule.code() == 1 ? address & ~3L : address;
    long first = (long) rule.code() << 60 | rule.flags() | device | domain | more;
    return new Delivery("blocked", 0, 0, rule.name(), !quiet, first, second, 0);
  }

  /** What the message comes to; backing pages change in the image. */
  public Delivery remap(int device, long address, int data) {
    Dte none = new Dte(0, 0, 0, 0);
    // 1.
    if (!m.iommuEn()) {
      return Delivery.to(address, data);
    }
    // 2.
    long at = Dte.find(m, device);
    if (at < 0) {
      return blocked(Rule.DEVICE_OUT_OF_TABLE, device, none, address, I, false);
    }
    if (image.fails(at, 32, false)) {
      return blocked(
          Rule.DEVICE_TABLE_READ, device, none, at, I | (long) image.why(at) << 57, false);
    }
    Dte dte = Dte.read(image, at);
    // 3.
    if (!dte.iv()) {
      return Delivery.to(address, data);
    }
    // 4.
    if (dte.interruptReserved(m)) {
      return blocked(Rule.DTE_INT_RESERVED, device, dte, address, 0, false);
    }
    if (m.snp() && dte.v() && dte.tv() && dte.mode() == 0) {
      return blocked(Rule.DTE_INT_MODE, device, dte, address, 0, false);
    }
    // 5. to 7.
    boolean logical = (address >>> 2 & 1) != 0;
    int type = data >>> 8 & 7;
    boolean indexOnly = m.manyInterrupts() && logical;
    if (!indexOnly && type > 1) {
      boolean passes =
          switch (type) {
            case 2 -> true;
            case 4 -> dte.nmiPass() && !logical;
            case 5 -> dte.initPass() && !logical;
            case 7 -> dte.eintPass() && !logical;
            default -> false;
          };
      if (type == 2 && m.control(22) && !filtered(device)) {
        return blocked(Rule.SMI_FILTERED, device, dte, address, 0, dte.ig());
      }
      return passes
          ? Delivery.to(address, data)
          : blocked(Rule.INTERRUPT_TYPE, device, dte, address, 0, dte.ig());
    }
    // 9.
    switch (dte.intCtl()) {
      case 0 -> {
        return blocked(Rule.INTERRUPT_ABORTED, device, dte, address, 0, dte.ig());
      }
      case 1 -> {
        return Delivery.to(address, data);
      }
      case 3 -> {
        return blocked(Rule.DTE_INT_CONTROL, device, dte, address, 0, false);
      }
      default -> {}
    }
    // 10.
    if (dte.intTabLen() > 11) {
      return blocked(Rule.DTE_INT_LENGTH, device, dte, address, 0, false);
    }
    // 11. and 12.
    int index = data & 0x7ff;
    if (index >= 1 << dte.intTabLen()) {
      return blocked(Rule.INTERRUPT_INDEX, device, dte, address, 0, dte.ig());
    }
    return entry(device, dte, index, address, data);
  }

  private boolean filtered(int device) {
    for (long filter : smiFilters) {
      if ((filter >>> 16 & 1) != 0 && (filter & 0xffff) == device) {
        return true;
      }
    }
    return false;
  }

  private Delivery entry(int device, Dte dte, int index, long address, int data) {
    // 13.
    int bytes = m.gaEn() ? 16 : 4;
    long at = dte.intTab() + (long) bytes * index;
    if (image.fails(at, bytes, false)) {
      return blocked(Rule.INTERRUPT_TABLE_READ, device, dte, at, (long) image.why(at) << 57, false);
    }
    long low = m.gaEn() ? image.load(at) : image.load(at & ~7L) >>> 8 * (at & 4) & 0xffff_ffffL;
    long high = m.gaEn() ? image.load(at + 8) : 0;
    // 14.
    boolean quiet = dte.ig() || (low & 2) != 0;
    if ((low & 1) == 0) {
      return blocked(Rule.INTERRUPT_DISABLED, device, dte, address, 0, quiet);
    }
    // 15.
    boolean guest = (low >>> 7 & 1) != 0;
    if (guest ? !m.gaEn() || !m.guestModeAllowed() : (low >>> 2 & 7) > 1) {
      return blocked(Rule.INTERRUPT_ENTRY, device, dte, address, 0, quiet);
    }
    if (guest) {
      return post(device, dte, low, high);
    }
    // 16.
    long destination =
        !m.gaEn() || !m.xtEn() ? low >>> 8 & 0xff : low >>> 8 & 0xff_ffff | high >>> 56 << 24;
    long vector = m.gaEn() ? high & 0xff : low >>> 16 & 0xff;
    long dm = low >>> 6 & 1;
    boolean level = (low >>> 5 & 1) != 0 || (data >>> 15 & 1) != 0;
    return Delivery.to(
        message(destination) | dm << 2,
        (int) (vector | (low >>> 2 & 7) << 8) | 0x4000 | (level ? 0x8000 : 0));
  }

  static long message(long destination) {
    return 0xfee0_0000L | (destination & 0xff) << 12 | destination >>> 8 << 40;
  }

  /** 17. */
  private Delivery post(int device, Dte dte, long low, long high) {
    int vector = (int) high & 0xff;
    long at = (high & 0xf_ffff_ffff_f000L) + 0x200 + 16L * (vector >>> 5);
    if (image.fails(at & ~7L, 8, true)) {
      return blocked(Rule.INTERRUPT_TABLE_READ, device, dte, at, (long) image.why(at) << 57, false);
    }
    ReverseMap.Verdict verdict =
        rmp == null || !m.snp() ? ReverseMap.Verdict.FREE : rmp.write(at, false);
    if (rmp != null && verdict == ReverseMap.Verdict.UNREADABLE) {
      long type = (long) rmp.image.why(rmp.failed) << 57;
      return blocked(Rule.RMP_HARDWARE, device, dte, rmp.failed, I | type, false);
    }
    if (verdict != ReverseMap.Verdict.FREE) {
      return blocked(Rule.RMP_BACKING_PAGE, device, dte, at, 0, false);
    }
    boolean alone = true;
    for (int i = 0; i < 8; i++) {
      alone &= image.load((high & 0xf_ffff_ffff_f000L) + 0x200 + 16L * i) << 32 == 0;
    }
    image.store(at, image.load(at) | 1L << (vector & 31));
    long destination = m.xtEn() ? low >>> 8 & 0xff_ffff | high >>> 56 << 24 : low >>> 8 & 0xff;
    boolean running = (low >>> 6 & 1) != 0;
    if (m.gappiEn() && !running) {
      boolean told = alone && !(m.gappiDisSup() && (low >>> 5 & 1) != 0);
      return told
          ? new Delivery(
              "posted with an interrupt",
              message(destination),
              (int) (low >>> 32 & 0xff) | 0x4000,
              "",
              false,
              0,
              0,
              0)
          : new Delivery("posted", 0, 0, "", false, 0, 0, 0);
    }
    boolean log = !running && (low >>> 2 & 1) != 0 && m.control(28);
    return new Delivery(
        "posted",
        running ? message(destination) : 0,
        0,
        "",
        false,
        0,
        0,
        log ? 1L << 60 | (long) device << 32 | low >>> 32 : 0);
  }
}
