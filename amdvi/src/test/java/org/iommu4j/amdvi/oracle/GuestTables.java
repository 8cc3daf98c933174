package org.iommu4j.amdvi.oracle;

/** Guest translation (v2): GCR3 table, then four or five levels of AMD64 long mode. */
final class GuestTables {
  static final long P = 1;
  static final long RW = 1L << 1;
  static final long US = 1L << 2;
  static final long A = 1L << 5;
  static final long D = 1L << 6;
  static final long PS = 1L << 7;
  static final long NX = 1L << 63;

  /**
   * @param gpa the address, offset included
   * @param entry guest-physical address of the entry
   */
  record Leaf(long gpa, int shift, boolean r, boolean w, boolean x, long entry) {}

  /** Where a guest-physical address of a table is. */
  interface Host {
    /**
     * The system-physical address.
     *
     * @param write the entry is going to be changed
     */
    long of(long gpa, boolean write);
  }

  private final Machine m;
  private final Image image;
  private final Dte dte;
  private final Host host;
  private final HostTables.Faults faults;

  GuestTables(Machine m, Image image, Dte dte, Host host, HostTables.Faults faults) {
    this.m = m;
    this.image = image;
    this.dte = dte;
    this.host = host;
    this.faults = faults;
  }

  Leaf walk(Ask ask, int pasid, boolean signExtended) {
    long address = ask.address();
    // Section 5.2
    int levels = 4 + dte.guestPagingMode();
    int width = 12 + 9 * levels;
    long high = address >> (width - 1);
    if (signExtended ? high != 0 && high != -1 : address >>> width != 0) {
      throw faults.fault(Rule.GUEST_NOT_CANONICAL, address);
    }
    long cr3 = cr3(pasid, address);
    boolean rw = true;
    boolean us = true;
    boolean nx = false;
    long table = cr3;
    for (int level = levels; ; level--) {
      int shift = 3 + 9 * level;
      long gpa = table + 8 * (address >>> shift & 0x1ff);
      long at = host.of(gpa, false);
      long entry = load(at);
      if ((entry & P) == 0) {
        throw faults.fault(Rule.GUEST_NOT_PRESENT, address);
      }
      boolean leaf = level == 1 || (entry & PS) != 0;
      if (reserved(entry, level, leaf)) {
        throw faults.fault(Rule.GUEST_RESERVED, address);
      }
      rw &= (entry & RW) != 0;
      us &= (entry & US) != 0 || !m.usSup();
      nx |= (entry & NX) != 0 && m.nxSup();
      boolean user = !ask.privileged();
      if (!ask.ats()) {
        permit(ask, address, user && !us, rw, nx);
      }
      entry = update(gpa, at, entry, leaf && !ask.ats() && ask.writes());
      if (leaf) {
        long low = (1L << shift) - 1;
        boolean denied = user && !us;
        return new Leaf(
            Machine.page(entry) & ~low | address & low,
            shift,
            !denied,
            rw && !denied,
            !nx && !denied,
            gpa);
      }
      table = Machine.page(entry);
    }
  }

  private void permit(Ask ask, long address, boolean denied, boolean rw, boolean nx) {
    if (denied) {
      throw faults.fault(Rule.GUEST_USER, address);
    }
    if (ask.writes() && !rw) {
      throw faults.fault(Rule.GUEST_PERMISSION, address);
    }
    if (ask.execute() && nx) {
      throw faults.fault(Rule.GUEST_NO_EXECUTE, address);
    }
  }

  /** Section 5.1. */
  private long cr3(int pasid, long address) {
    int levels = dte.glx() + 1;
    if (pasid >>> 9 * levels != 0 || pasid >>> m.pasidBits() != 0) {
      throw faults.fault(Rule.GCR3_INVALID, address);
    }
    long table = dte.gcr3();
    for (int level = levels; ; level--) {
      long gpa = table + 8L * (pasid >>> 9 * (level - 1) & 0x1ff);
      // Section 2.6: without GCR3TRPMode the pointer is a system-physical address.
      long entry = load(m.gcr3TrpMode() ? host.of(gpa, false) : gpa);
      if ((entry & 1) == 0) {
        throw faults.fault(Rule.GCR3_INVALID, address);
      }
      if ((entry & 0xfff0_0000_0000_0ffeL) != 0) {
        throw faults.fault(Rule.GCR3_RESERVED, address);
      }
      table = Machine.page(entry);
      if (level == 1) {
        return table;
      }
    }
  }

  private long load(long at) {
    if (image.fails(at, 8, false)) {
      throw faults.hardware(Rule.GUEST_TABLE_READ, at, image.why(at));
    }
    return image.load(at);
  }

  private static boolean reserved(long entry, int level, boolean leaf) {
    boolean large = leaf && level > 1;
    // Bit 12 of a large page is PAT.
    return (large && level > 3)
        || (large && (Machine.page(entry) & (1L << (3 + 9 * level)) - 1 & ~0x1000L) != 0);
  }

  /** D of a page that a translation request is granted W for; false if that cannot be. */
  boolean dirty(Leaf leaf, boolean writable) {
    long at = host.of(leaf.entry, false);
    long entry = image.load(at);
    boolean needed = (entry & D) == 0 && !(m.gaUpdateDisSup() && m.noGuestDirty());
    if (needed && writable && faults.update(at, 0) != null) {
      return false;
    }
    if (needed && writable) {
      update(leaf.entry, at, entry, true);
    }
    return !needed || writable;
  }

  private long update(long gpa, long at, long entry, boolean dirty) {
    boolean off = m.gaUpdateDisSup();
    boolean a = !(off && m.noGuestAccessed());
    boolean d = dirty && !(off && m.noGuestDirty());
    long now = entry | (a ? A : 0) | (d ? D : 0);
    if (now != entry) {
      host.of(gpa, true);
      Stop stop = faults.update(at, gpa);
      if (stop != null) {
        throw stop;
      }
      if (image.fails(at, 8, true)) {
        throw faults.hardware(Rule.GUEST_TABLE_READ, at, image.why(at));
      }
      image.store(at, now);
    }
    return now;
  }
}
