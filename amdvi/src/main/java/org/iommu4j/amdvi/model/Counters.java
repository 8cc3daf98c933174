package org.iommu4j.amdvi.model;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.CounterBlock;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.RegisterFile;

/**
 * Performance counters: events by source, under matches of PASID, domain and device. 48882,
 * "Performance Counters".
 *
 * <p>While a counter has a source every request takes the full process, so that what is counted
 * does not depend on short cuts. Device threads count; registers are accessed with the state lock
 * held.
 */
final class Counters {
  // CSource values.
  static final int UNTRANSLATED = 0x01;
  static final int PRETRANSLATED = 0x02;
  static final int EXCLUDED = 0x03;
  static final int ABORTED = 0x04;
  static final int TRANSLATED = 0x05;
  static final int PTE_HIT = 0x06;
  static final int PTE_MISS = 0x07;
  static final int PDE_HIT = 0x08;
  static final int PDE_MISS = 0x09;
  static final int DTE_HIT = 0x0a;
  static final int DTE_MISS = 0x0b;
  static final int TABLE_READS = 0x0c;
  static final int NESTED = 0x0d;
  static final int GUEST = 0x0e;
  static final int DTE_HIT_INTERRUPT = 0x0f;
  static final int DTE_MISS_INTERRUPT = 0x10;
  static final int COMMANDS = 0x11;
  static final int INVALIDATIONS = 0x12;
  static final int TLB_INVALIDATIONS = 0x13;
  static final int RESERVED_ACCESSES = 0x14;
  static final int INTERRUPTS = 0x15;
  static final int GUEST_INTERRUPTS = 0x16;
  static final int SMI = 0x17;
  static final int SMI_BLOCKED = 0x18;

  private static final long MASK = (1L << 48) - 1;

  private final AmdviIommu unit;
  private final int count;
  private final AtomicLongArray values;
  private final List<CounterBlock> blocks = new ArrayList<>();

  // What device threads look at: copies of the counters' registers.
  private volatile boolean counting;
  private final int[] source;
  private final long[] pasidMatch;
  private final long[] domainMatch;
  private final long[] deviceMatch;
  private final long[] report;

  Counters(AmdviIommu unit) {
    this.unit = unit;
    UnitConfig c = unit.config();
    boolean has = c.has(ExtendedFeatures.PC_SUP);
    count = has ? c.banks() * c.counters() : 0;
    values = new AtomicLongArray(count);
    source = new int[count];
    pasidMatch = new long[count];
    domainMatch = new long[count];
    deviceMatch = new long[count];
    report = new long[count];
    for (int n = 0; n < count; n++) {
      blocks.add(new CounterBlock(n / c.counters(), n % c.counters()));
    }
  }

  boolean counting() {
    return counting;
  }

  void addTo(RegisterFile file) {
    UnitConfig c = unit.config();
    if (count == 0) {
      return;
    }
    file.add(
        Registers.COUNTER_CONFIGURATION,
        Registers.N_COUNTER.of(c.counters()) | Registers.N_COUNTER_BANKS.of(c.banks()));
    // Kept for software: locks of banks belong to virtualised counters.
    file.add(Registers.PASID_BANK_LOCK, 0);
    file.add(Registers.DOMAIN_BANK_LOCK, 0);
    file.add(Registers.DEVICE_BANK_LOCK, 0);
    for (int i = 0; i < count; i++) {
      int n = i;
      CounterBlock b = blocks.get(n);
      file.add(
          b.counter(), 0, (x, w) -> w & MASK, (x, a, w) -> values.set(n, a), x -> values.get(n));
      file.add(b.source(), 0, null, (x, a, w) -> changed(file), null);
      file.add(b.pasid(), 0, null, (x, a, w) -> changed(file), null);
      file.add(b.domain(), 0, null, (x, a, w) -> changed(file), null);
      file.add(b.device(), 0, null, (x, a, w) -> changed(file), null);
      file.add(b.report(), 0, null, (x, a, w) -> changed(file), null);
    }
  }

  private void changed(RegisterFile file) {
    boolean any = false;
    for (int n = 0; n < count; n++) {
      CounterBlock b = blocks.get(n);
      pasidMatch[n] = file.get(b.pasid());
      domainMatch[n] = file.get(b.domain());
      deviceMatch[n] = file.get(b.device());
      report[n] = file.get(b.report());
      source[n] = CounterBlock.C_SOURCE.getInt(file.get(b.source()));
      any |= source[n] != 0;
    }
    counting = any;
    unit.refresh();
  }

  /** Something happened. */
  void count(int event, int device, int pasid, int domain) {
    for (int n = 0; n < count; n++) {
      if (source[n] == event
          && matches(deviceMatch[n], CounterBlock.DEVICE, CounterBlock.DEVICE_MASK, device)
          && matches(domainMatch[n], CounterBlock.DOMAIN, CounterBlock.DOMAIN_MASK, domain)
          && matches(pasidMatch[n], CounterBlock.PASID, CounterBlock.PASID_MASK, pasid)) {
        increment(n);
      }
    }
  }

  /** A command is executed. */
  void command(Setup s, int opcode) {
    if (!s.counting) {
      return;
    }
    count(COMMANDS, 0, 0, 0);
    switch (opcode) {
      case Command.INVALIDATE_DEVTAB_ENTRY,
          Command.INVALIDATE_INTERRUPT_TABLE,
          Command.INVALIDATE_IOTLB_PAGES ->
          count(INVALIDATIONS, 0, 0, 0);
      case Command.INVALIDATE_IOMMU_PAGES, Command.INVALIDATE_IOMMU_ALL -> {
        count(INVALIDATIONS, 0, 0, 0);
        count(TLB_INVALIDATIONS, 0, 0, 0);
      }
      default -> {}
    }
  }

  private static boolean matches(long match, Field value, Field mask, int found) {
    return !CounterBlock.ENABLE.isSet(match) || ((value.get(match) ^ found) & mask.get(match)) == 0;
  }

  private void increment(int n) {
    if ((values.incrementAndGet(n) & MASK) != 0) {
      return;
    }
    values.set(n, 0);
    if (CounterBlock.REPORT_ENABLE.isSet(report[n])) {
      synchronized (unit.state()) {
        unit.eventLog().counterZero(CounterBlock.EVENT_NOTE.get(report[n]));
      }
    }
  }
}
