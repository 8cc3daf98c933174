package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.RmpEntry;
import org.iommu4j.core.Options.InvalidOption;
import org.iommu4j.core.dma.Access;
import org.jspecify.annotations.Nullable;

/**
 * The reverse map table's say in a unit of a system with SEV-SNP: what tables grant is looked up
 * there once more by its physical address, and a page that is assigned, to a guest or to firmware,
 * is not written by a device. AMD64 APM volume 2, 15.36; 48882, "SEV-SNP" in 2.12.2.
 *
 * <ul>
 *   <li>Reads are not checked: what a guest keeps secret is encrypted.
 *   <li>Every device is taken for the hypervisor's: no page that is assigned is a device's own
 *       (trusted I/O, EFR2.SevSnpIoSup, is not modelled).
 *   <li>A page of 2 MiB or more is checked as the 2 MiB around the address: it fails if any page of
 *       them is assigned, as the first entry's Subpage_Count tells. Whoever changes the table
 *       (RMPUPDATE, firmware) has to keep that count. A smaller page is checked as 4 KiB.
 *   <li>Memory that the table does not cover is nobody's, and may be written.
 *   <li>The unit's own writes to its logs and its COMPLETION_WAIT stores are not looked up: their
 *       pages are assigned to it by firmware, and the registers that say where they are, are locked
 *       (2.12.2.1); stores have a window of their own (2.12.2.2).
 * </ul>
 *
 * <p>Inferred, as no public source says so: accessed and dirty bits in tables, and interrupts
 * recorded in a guest's backing page, are writes like any other; an untranslated request that no
 * table maps, and a pretranslated one, are checked as 4 KiB; a translation request is answered
 * without W where a write would fail.
 *
 * <p>Choice: nothing of the table is cached. Processors' RMPUPDATE makes units forget what they
 * have cached of it, and a program that changes the table in memory has no such instruction.
 */
final class Rmp {
  private static final int SMALL = 12;
  private static final int LARGE = 21;

  // Verdicts.
  private static final int FREE = 0;
  private static final int TAKEN = 1;
  private static final int PARTLY_TAKEN = 2;
  private static final int UNREADABLE = 3;

  private static final long NOT_COVERED = -1;
  private static final long NOT_READ = -2;

  /** Address of the entries, or of the segment table. */
  private final long first;

  /** Bytes from there on that entries of a table without segments are in. */
  private final long bytes;

  /** log2 of the bytes of memory per segment; 0: no segments. */
  private final int segmentShift;

  private Rmp(long first, long bytes, int segmentShift) {
    this.first = first;
    this.bytes = bytes;
    this.segmentShift = segmentShift;
  }

  /**
   * The table that processors' MSRs describe; null if there is none.
   *
   * @param base RMP_BASE: the bookkeeping's first byte, a multiple of 8 KiB; 0 for no table
   * @param end RMP_END: the last byte of the last entry
   * @param cfg RMP_CFG: whether there are segments, and of what
   * @throws InvalidOption if they contradict each other
   */
  static @Nullable Rmp of(long base, long end, long cfg) {
    if (base == 0 && end == 0 && cfg == 0) {
      return null;
    }
    if (base == 0 || (base & 0x1fff) != 0 || base >>> 52 != 0) {
      throw new InvalidOption("rmp_base", "has to be a multiple of 8 KiB below 2^52, and not 0");
    }
    long first = base + RmpEntry.BOOKKEEPING_BYTES;
    if (RmpEntry.SEGMENTED.isSet(cfg)) {
      int shift = RmpEntry.SEGMENT_SHIFT.getInt(cfg);
      if (end != 0) {
        throw new InvalidOption("rmp_end", "has to be 0 if rmp_cfg says that there are segments");
      }
      if (shift < 30 || shift > 51) {
        throw new InvalidOption("rmp_cfg", "segments are of 2^30 to 2^51 bytes: bits 13:8");
      }
      return new Rmp(first, 0, shift);
    }
    if (cfg != 0) {
      throw new InvalidOption("rmp_cfg", "says nothing unless bit 0 is 1");
    }
    if (end <= first || end >>> 52 != 0 || (end & 0x1fff) != 0x1fff) {
      throw new InvalidOption(
          "rmp_end", "has to be the last byte of 8 KiB, more than 16 KiB after rmp_base");
    }
    return new Rmp(first, end + 1 - first, 0);
  }

  /**
   * What becomes of a request that all else lets pass; {@code pa}, {@code permissions}, {@code
   * shift} and {@code pageShift} say how. The permission to write is taken away where it is not
   * used and would not do; what remains is valid for the range that was looked at.
   */
  @Nullable Reason check(Setup s, Workspace w) {
    if (w.passes || (w.permissions & Access.WRITE) == 0) {
      return null; // a special range is no memory
    }
    boolean large = w.pageShift >= LARGE;
    int verdict = verdict(s, w, w.pa, large);
    if (verdict == FREE) {
      w.shift = Math.min(w.shift, large ? LARGE : SMALL);
      return null;
    }
    if (!w.writes() || !(w.checks() || (w.ats && verdict == UNREADABLE))) {
      w.permissions &= ~Access.WRITE;
      return null;
    }
    if (verdict == UNREADABLE) {
      w.faultAddress = w.rmpEntry;
      return Reason.RMP_HARDWARE;
    }
    w.faultAddress = guestPhysical(s, w);
    return verdict == TAKEN ? Reason.RMP_PAGE_FAULT : Reason.RMP_LARGE_PAGE;
  }

  /**
   * Whether the unit may set accessed and dirty bits at a physical address; {@code faultAddress} is
   * changed only if the table cannot be read.
   */
  @Nullable Reason update(Setup s, Workspace w, long at) {
    return write(s, w, at, Reason.RMP_TABLE_WRITE);
  }

  /** Whether an interrupt may be recorded in a guest's backing page. */
  @Nullable Reason record(Setup s, Workspace w, long at) {
    Reason reason = write(s, w, at, Reason.RMP_BACKING_PAGE);
    if (reason == Reason.RMP_BACKING_PAGE) {
      w.faultAddress = at;
    }
    return reason;
  }

  private @Nullable Reason write(Setup s, Workspace w, long at, Reason refused) {
    int verdict = verdict(s, w, at, false);
    if (verdict == UNREADABLE) {
      w.faultAddress = w.rmpEntry;
      return Reason.RMP_HARDWARE;
    }
    return verdict == FREE ? null : refused;
  }

  /** The record's address: of a guest's request the one that its tables lead to. */
  private static long guestPhysical(Setup s, Workspace w) {
    if (!w.byGuest) {
      return w.iova;
    }
    // A cache that answered did not tell it: the tables are asked, without a trace.
    boolean dry = w.dry();
    var trace = w.trace();
    w.dry(true);
    w.trace(null);
    boolean found = GuestWalker.translate(s, w.device, w, w.iova) == null;
    w.dry(dry);
    w.trace(trace);
    return found ? w.gpa : w.iova;
  }

  private int verdict(Setup s, Workspace w, long spa, boolean large) {
    long start = spa & -1L << LARGE;
    long at = entry(s, w, start);
    if (at < 0) {
      return at == NOT_READ ? UNREADABLE : FREE;
    }
    if (!w.load(s, at)) {
      w.rmpEntry = at;
      return UNREADABLE;
    }
    long e = w.entry();
    note(w, at, e);
    boolean taken = RmpEntry.ASSIGNED.isSet(e);
    if (taken && RmpEntry.PAGE_SIZE.isSet(e)) {
      return TAKEN;
    }
    if (large) {
      return taken || RmpEntry.SUBPAGE_COUNT.isSet(e) ? PARTLY_TAKEN : FREE;
    }
    if (spa >>> SMALL == start >>> SMALL) {
      return taken ? TAKEN : FREE;
    }
    at = entry(s, w, spa);
    if (at < 0) {
      return at == NOT_READ ? UNREADABLE : FREE;
    }
    if (!w.load(s, at)) {
      w.rmpEntry = at;
      return UNREADABLE;
    }
    note(w, at, w.entry());
    return RmpEntry.ASSIGNED.isSet(w.entry()) ? TAKEN : FREE;
  }

  private static void note(Workspace w, long at, long e) {
    if (w.traced()) {
      w.note("reverse map table entry", RmpEntry.LAYOUT, at, e);
    }
  }

  /** Where the entry of a page is, {@link #NOT_COVERED} or {@link #NOT_READ}. */
  private long entry(Setup s, Workspace w, long spa) {
    if (segmentShift == 0) {
      long offset = spa >>> SMALL << 4;
      return Long.compareUnsigned(offset, bytes) < 0 ? first + offset : NOT_COVERED;
    }
    long index = spa >>> segmentShift;
    if (index >= RmpEntry.SEGMENTS) {
      return NOT_COVERED;
    }
    long at = first + 8 * index;
    if (!w.load(s, at)) {
      w.rmpEntry = at;
      return NOT_READ;
    }
    if (w.traced()) {
      w.note("RMP segment table entry", RmpEntry.SEGMENT_LAYOUT, at, w.entry());
    }
    long offset = spa & (1L << segmentShift) - 1;
    // At most 2^20 GiB: no overflow.
    return offset >>> 30 < RmpEntry.MAPPED_SIZE.get(w.entry())
        ? RmpEntry.SEGMENT_BASE.in(w.entry()) + (offset >>> SMALL << 4)
        : NOT_COVERED;
  }
}
