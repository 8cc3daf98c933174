package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.GaLogRecord;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.memory.PhysicalMemory;

/**
 * The guest virtual APIC log: interrupts of guests that do not run. 48882, "Guest Virtual APIC
 * Log". State lock held.
 */
final class GaLog {
  /** Bytes that head and tail can point into. */
  private static final long POINTERS = 1L << (Registers.GA_POINTER.hi() + 1);

  private final AmdviIommu unit;

  GaLog(AmdviIommu unit) {
    this.unit = unit;
  }

  void append(int deviceId, long tag) {
    RegisterFile r = unit.registers();
    if (r.get(Registers.STATUS, Registers.GA_LOG_RUN) == 0) {
      return;
    }
    long base = r.get(Registers.GA_LOG);
    // Choice: the pointers have 16 bits, so that what a longer ring has beyond is not used.
    long size = Math.min(Ring.bytes(base), POINTERS);
    long tail = r.get(Registers.GA_TAIL) & size - 1;
    long next = (tail + GaLogRecord.BYTES) & size - 1;
    if (!Ring.valid(base) || next == r.get(Registers.GA_HEAD)) {
      r.post(Registers.STATUS, Registers.GA_LOG_RUN, 0);
      unit.signals().raise(Registers.GA_LOG_OVERFLOW, Signals.Source.GA_LOG);
      return;
    }
    long record =
        GaLogRecord.GA_TAG.of(tag)
            | GaLogRecord.DEVICE_ID.of(deviceId)
            | GaLogRecord.CODE.of(GaLogRecord.GUEST_NOT_RUNNING);
    store(Ring.address(base, tail), record);
    r.post(Registers.GA_TAIL, next);
    long where = Registers.GA_TAIL_ADDRESS.in(r.get(Registers.GA_LOG_TAIL_ADDRESS));
    if (where != 0) {
      store(where, next);
    }
    unit.signals().raise(Registers.GA_INT, Signals.Source.GA_LOG);
  }

  private void store(long at, long value) {
    PhysicalMemory memory = unit.host().memory();
    if (!memory.isDevice(at) && memory.status(at, 8, true) == PhysicalMemory.OK) {
      memory.writeLong(at, value);
    }
  }
}
