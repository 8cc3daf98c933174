package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.iotlb.CacheBehaviour;

/**
 * The register page: accesses one after the other, and what a write leaves to be done without the
 * state lock.
 */
final class RegisterPage {
  private final AmdviIommu unit;
  private final RegisterFile registers;

  // What a register write left to be done.
  private boolean runPending;
  private boolean drainPending;

  RegisterPage(AmdviIommu unit) {
    this.unit = unit;
    registers = RegisterBank.create(unit);
  }

  /** The registers; state lock. */
  RegisterFile registers() {
    return registers;
  }

  long read(long offset, int size) {
    synchronized (unit.commandLock()) {
      unit.turns().resume();
      reservedAccessed(offset);
      synchronized (unit.state()) {
        return registers.read(offset, size);
      }
    }
  }

  void write(long offset, int size, long value) {
    synchronized (unit.commandLock()) {
      synchronized (unit.state()) {
        registers.write(offset, size, value);
      }
      reservedAccessed(offset);
      if (drainPending) {
        drainPending = false;
        if (!unit.setup().keepsIrtes) {
          // What changes while they are not kept needs no command.
          unit.interrupts().invalidateAll();
        }
        unit.drain();
      }
      if (runPending) {
        runPending = false;
        unit.turns().run();
      } else {
        unit.turns().resume();
      }
    }
  }

  void runLater() {
    runPending = true;
  }

  /** The device table is another: what was read from the old one is forgotten at once. */
  void tablesMoved() {
    unit.refreshEntries();
    drainPending = true;
  }

  /** What is excluded, or relocated, is another range: who went by the old one is waited for. */
  void rangesChanged() {
    unit.refresh();
    drainPending = true;
  }

  /** The control register has changed. */
  void controlChanged() {
    if (unit.config().caches().behaviour() == CacheBehaviour.NORMAL) {
      // Cached entries were decoded under what the register said before.
      unit.refreshEntries();
    } else {
      unit.refresh();
    }
    drainPending = true;
    runPending = true;
  }

  /** Takes registers as a capture shows them, without effects. */
  void restore(RegisterImage image) {
    synchronized (unit.commandLock()) {
      synchronized (unit.state()) {
        for (Register r : registers.registers()) {
          registers.post(r, r.width() == 8 ? image.get64(r.offset()) : image.get32(r.offset()));
        }
        unit.msi().restore(image);
        unit.refresh();
      }
    }
  }

  /** Accesses to 1FF8h are an event of the performance counters. */
  private void reservedAccessed(long offset) {
    if ((offset & -8L) == Registers.RESERVED.offset() && unit.setup().counting) {
      unit.counters().count(Counters.RESERVED_ACCESSES, 0, 0, 0);
    }
  }
}
