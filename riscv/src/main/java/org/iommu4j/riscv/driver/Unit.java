package org.iommu4j.riscv.driver;

import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.FrameAllocator;

/** The unit's registers, the memory that it shares with the driver, and the driver's patience. */
final class Unit {
  private static final int SPINS = 1_000;

  final PhysicalMemory memory;
  final FrameAllocator frames;
  private final Mmio registers;
  private final long timeoutNanos;

  Unit(Mmio registers, PhysicalMemory memory, FrameAllocator frames, long timeoutMillis) {
    this.registers = registers;
    this.memory = memory;
    this.frames = frames;
    this.timeoutNanos = timeoutMillis * 1_000_000;
  }

  long read(Register r) {
    return registers.read(r.offset(), r.width());
  }

  void write(Register r, long value) {
    registers.write(r.offset(), r.width(), value);
  }

  /** Waits until a field of a register, busy most often, is 0; returns the register. */
  long awaitClear(Register r, Field field) {
    Patience patience = patience();
    while (true) {
      long value = read(r);
      if (!field.isSet(value)) {
        return value;
      }
      if (!patience.more()) {
        throw new DriverException(
            "%s.%s stays 1 (%s reads 0x%x): the unit hangs, or is being changed by someone else"
                .formatted(r.name(), field.name(), r.name(), value));
      }
    }
  }

  Patience patience() {
    return new Patience(System.nanoTime() + timeoutNanos);
  }

  /** Waits a little longer every time, up to the deadline. */
  static final class Patience {
    private final long deadline;
    private int turns;

    private Patience(long deadline) {
      this.deadline = deadline;
    }

    /** Pauses; false if the time is up. */
    boolean more() {
      if (++turns < SPINS) {
        Thread.onSpinWait();
        return true;
      }
      LockSupport.parkNanos(20_000);
      return System.nanoTime() < deadline;
    }
  }

  /** Stores a doubleword into a structure that the unit reads. */
  void store(long at, long value) {
    if (memory.writeLong(at, value) != PhysicalMemory.OK) {
      throw new DriverException("the table memory at 0x%x cannot be written".formatted(at));
    }
  }

  /** Stores the entry that makes a structure reachable: after the structure itself. */
  void link(long at, long entry) {
    VarHandle.releaseFence();
    store(at, entry);
  }
}
