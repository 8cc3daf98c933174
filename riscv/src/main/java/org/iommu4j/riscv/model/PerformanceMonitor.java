package org.iommu4j.riscv.model;

import static org.iommu4j.riscv.layout.Registers.IOCOUNTINH;
import static org.iommu4j.riscv.layout.Registers.IOHPMEVT;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Registers;

/**
 * The hardware performance monitor. §6.19 to §6.23, §7.
 *
 * <p>Device threads count without a lock; selectors are read from a plain copy that register writes
 * replace (skid is permitted). Choice: one cycle of iohpmcycles is one nanosecond of the host's
 * monotonic clock; its overflow is noticed when a register is accessed.
 */
final class PerformanceMonitor {
  private static final VarHandle COUNT = MethodHandles.arrayElementVarHandle(long[].class);

  /** Events that can be filtered by GSCID and PSCID (IDT = 1): TLB miss and both page walks. */
  private static final int IDT_EVENTS = 1 << 4 | 1 << 7 | 1 << 8;

  private final RiscvIommu unit;
  private final boolean present;
  private final int implemented;
  private final long mask;
  private final long cyclesMask;
  private final long[] counts;
  private volatile long[] selectors;
  private long cyclesBase;
  private long startedAt;
  private boolean cyclesRunning;

  PerformanceMonitor(RiscvIommu unit, UnitConfig config) {
    this.unit = unit;
    implemented = config.counters();
    present = config.has(Capabilities.HPM);
    mask = config.counterBits() == 64 ? -1 : (1L << config.counterBits()) - 1;
    cyclesMask = (1L << Math.min(config.counterBits(), 63)) - 1;
    counts = new long[Registers.COUNTERS];
    selectors = new long[Registers.COUNTERS];
    startedAt = System.nanoTime();
    cyclesRunning = true;
  }

  int implemented() {
    return implemented;
  }

  long mask() {
    return mask;
  }

  long cyclesMask() {
    return cyclesMask;
  }

  long get(int n) {
    return (long) COUNT.getVolatile(counts, n);
  }

  void set(int n, long value) {
    COUNT.setVolatile(counts, n, value & mask);
  }

  /** Takes the counters as a capture shows them. */
  void restore(RegisterFile registers) {
    for (int n = 0; n < implemented; n++) {
      set(n, registers.get(Registers.IOHPMCTR.get(n)));
    }
    setCycles(registers.get(Registers.IOHPMCYCLES, Registers.CYCLES_COUNTER));
  }

  /** Cycles, before the width is applied. */
  long cycles() {
    return cyclesBase + (cyclesRunning ? System.nanoTime() - startedAt : 0);
  }

  void setCycles(long value) {
    cyclesBase = value;
    startedAt = System.nanoTime();
  }

  /**
   * Takes over selectors and inhibit bits after a register write.
   *
   * @return whether any counter can count
   */
  boolean refresh() {
    long inhibit = unit.registers().get(IOCOUNTINH);
    boolean running = (inhibit & 1) == 0;
    if (running != cyclesRunning) {
      cyclesBase = cycles();
      startedAt = System.nanoTime();
      cyclesRunning = running;
    }
    long[] next = new long[Registers.COUNTERS];
    boolean any = false;
    for (int n = 0; n < implemented; n++) {
      long selector = unit.registers().get(IOHPMEVT.get(n));
      boolean counts = (inhibit >>> (n + 1) & 1) == 0 && Registers.EVENT_ID.isSet(selector);
      next[n] = counts ? selector : 0;
      any |= counts;
    }
    selectors = next;
    return any;
  }

  /** Counts an event for the request in the workspace. */
  void count(int event, Workspace w) {
    long[] all = selectors;
    for (int n = 0; n < implemented; n++) {
      long selector = all[n];
      if (Registers.EVENT_ID.getInt(selector) == event && passes(selector, event, w)) {
        long before = (long) COUNT.getAndAdd(counts, n, 1L);
        if (((before + 1) & mask) == 0) {
          COUNT.setVolatile(counts, n, 0L);
          overflowed(n);
        }
      }
    }
  }

  /** A counter wrapped: its OF is set, which is told once. Called by device threads. */
  private void overflowed(int n) {
    synchronized (unit.state()) {
      RegisterFile registers = unit.registers();
      Register selector = Registers.IOHPMEVT.get(n);
      if (registers.get(selector, Registers.OF) == 0) {
        registers.post(selector, Registers.OF, 1);
        unit.interrupts().raise(Registers.PMIP);
      }
    }
  }

  private static boolean passes(long selector, int event, Workspace w) {
    boolean byAddressSpace = Registers.IDT.isSet(selector);
    if (byAddressSpace && (IDT_EVENTS >>> event & 1) == 0) {
      return false;
    }
    long process = Registers.PID_PSCID.get(selector);
    if (Registers.PV_PSCV.isSet(selector)
        && (byAddressSpace ? !w.pscv || process != w.pscid : !w.pidValid || process != w.pid)) {
      return false;
    }
    if (!Registers.DV_GSCV.isSet(selector)) {
      return true;
    }
    if (byAddressSpace && !w.gv) {
      return false;
    }
    long wanted = Registers.DID_GSCID.get(selector);
    // DMASK: all bits up to and including the lowest 0 bit are ignored.
    long compared = Registers.DMASK.isSet(selector) ? ~(wanted ^ (wanted + 1)) : -1;
    long id = byAddressSpace ? w.gscid : w.deviceId;
    return ((wanted ^ id) & compared & 0xff_ffff) == 0;
  }

  /** Whether iohpmcycles has wrapped; if so it starts over. */
  private boolean cyclesOverflowed() {
    long now = cycles();
    if (Long.compareUnsigned(now, cyclesMask) <= 0) {
      return false;
    }
    setCycles(now & cyclesMask);
    return true;
  }

  /**
   * Sets OF of iohpmcycles if it has wrapped; to be called before a register access, with the state
   * lock.
   */
  void noticeCycles() {
    if (present && cyclesOverflowed()) {
      RegisterFile registers = unit.registers();
      if (registers.get(Registers.IOHPMCYCLES, Registers.CYCLES_OF) == 0) {
        registers.post(Registers.IOHPMCYCLES, Registers.CYCLES_OF, 1);
        unit.interrupts().raise(Registers.PMIP);
      }
    }
  }
}
