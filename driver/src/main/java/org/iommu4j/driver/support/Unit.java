package org.iommu4j.driver.support;

import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.FrameAllocator;

/** A unit's registers, the memory that it shares with its driver, and the driver's patience. */
public final class Unit {
  private static final int SPINS = 1_000;

  /** Where tables and queues lie. */
  public final PhysicalMemory memory;

  /** Where they come from. */
  public final FrameAllocator frames;

  private final Mmio registers;
  private final long timeoutNanos;

  /** With how long the unit may take for anything. */
  public Unit(Mmio registers, PhysicalMemory memory, FrameAllocator frames, long timeoutMillis) {
    this.registers = registers;
    this.memory = memory;
    this.frames = frames;
    this.timeoutNanos = timeoutMillis * 1_000_000;
  }

  /** Reads a register. */
  public long read(Register r) {
    return registers.read(r.offset(), r.width());
  }

  /** Writes a register. */
  public void write(Register r, long value) {
    registers.write(r.offset(), r.width(), value);
  }

  /**
   * Waits until a field of a register, busy most often, is 0; returns the register.
   *
   * @throws DriverException if it does not come about in time
   */
  public long awaitClear(Register r, Field field) {
    return await(r, field, false);
  }

  /**
   * Waits until a field of a register is 0, or is not; returns the register.
   *
   * @throws DriverException if it does not come about in time
   */
  public long await(Register r, Field field, boolean set) {
    Patience patience = patience();
    while (true) {
      long value = read(r);
      if (field.isSet(value) == set) {
        return value;
      }
      if (!patience.more()) {
        throw new DriverException(
            "%s.%s stays %d (%s reads 0x%x): the unit hangs, or is being changed by someone else"
                .formatted(r.name(), field.name(), set ? 0 : 1, r.name(), value));
      }
    }
  }

  /** Patience for one thing to come about. */
  public Patience patience() {
    return new Patience(System.nanoTime() + timeoutNanos);
  }

  /** Waits a little longer every time, up to the deadline. */
  public static final class Patience {
    private final long deadline;
    private int turns;

    private Patience(long deadline) {
      this.deadline = deadline;
    }

    /** Pauses; false if the time is up. */
    public boolean more() {
      if (++turns < SPINS) {
        Thread.onSpinWait();
        return true;
      }
      LockSupport.parkNanos(20_000);
      return System.nanoTime() < deadline;
    }
  }

  /**
   * Stores a doubleword into a structure that the unit reads.
   *
   * @throws DriverException if there is no memory
   */
  public void store(long at, long value) {
    if (memory.writeLong(at, value) != PhysicalMemory.OK) {
      throw new DriverException("the table memory at 0x%x cannot be written".formatted(at));
    }
  }

  /** Stores the entry that makes a structure reachable: after the structure itself. */
  public void link(long at, long entry) {
    VarHandle.releaseFence();
    store(at, entry);
  }
}
