package org.iommu4j.riscv.model;

import org.iommu4j.core.memory.PhysicalMemory;

/** Setting A and D in a page-table entry: an atomic compare-and-swap. Privileged ISA, Svadu. */
final class AdUpdate {
  static final int DONE = 0;

  /** Somebody changed the entry: walk again from this level. */
  static final int CHANGED = 1;

  static final int VIOLATION = 2;
  static final int CORRUPTED = 3;

  private AdUpdate() {}

  /**
   * Sets {@code bits} in the entry of 8 bytes at {@code at}.
   *
   * @param raw the entry as it was read, in memory's byte order
   */
  static int set(Setup s, Workspace w, long at, long raw, long bits, boolean bigEndian) {
    int allowed = allowed(s, w, at, 8);
    if (allowed != DONE || w.dry()) {
      return allowed;
    }
    long wanted = raw | (bigEndian ? Long.reverseBytes(bits) : bits);
    return s.memory.compareAndExchangeLong(at, raw, wanted) == raw ? DONE : CHANGED;
  }

  /** The same for an entry of 4 bytes. */
  static int set4(Setup s, Workspace w, long at, int raw, int bits, boolean bigEndian) {
    int allowed = allowed(s, w, at, 4);
    if (allowed != DONE || w.dry()) {
      return allowed;
    }
    int wanted = raw | (bigEndian ? Integer.reverseBytes(bits) : bits);
    return s.memory.compareAndExchangeInt(at, raw, wanted) == raw ? DONE : CHANGED;
  }

  /**
   * The bits of an update that the answer takes into account. Choice: as in the reference model an
   * ATS completion tells W from D as the walk found it: a write that had to set D first is granted
   * by the next request. Option {@code ats_write_after_update} grants it at once.
   */
  static long visible(Setup s, Workspace w, long bits) {
    return w.ats && !s.config.atsWriteAfterUpdate() ? bits & ~SecondStageWalker.D : bits;
  }

  private static int allowed(Setup s, Workspace w, long at, int length) {
    if (w.speculative) {
      return VIOLATION; // a walk that nobody asked for changes nothing, and goes no further
    }
    int read = s.memory.status(at, length, false);
    if (read == PhysicalMemory.POISONED) {
      return CORRUPTED;
    }
    // Choice: a register page is no place for a table; its entries cannot be updated.
    return read != PhysicalMemory.OK
            || s.memory.status(at, length, true) != PhysicalMemory.OK
            || s.memory.isDevice(at)
        ? VIOLATION
        : DONE;
  }
}
