package org.iommu4j.riscv.model;

import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.riscv.layout.Registers;

/**
 * The register page: accesses one after the other, and what a write leaves to be done without the
 * state lock.
 */
final class RegisterPage {
  private final RiscvIommu unit;
  private final RegisterFile registers;
  private final DebugTranslation debug;

  // What a register write left to be done.
  private boolean runPending;
  private boolean debugPending;
  private boolean drainPending;

  RegisterPage(RiscvIommu unit) {
    this.unit = unit;
    registers = RegisterBank.create(unit);
    debug = new DebugTranslation(unit);
  }

  /** The registers; state lock. */
  RegisterFile registers() {
    return registers;
  }

  long read(long offset, int size) {
    synchronized (unit.commandLock()) {
      unit.commandQueue().run(); // what a long queue left over
      synchronized (unit.state()) {
        unit.monitor().noticeCycles();
        return registers.read(offset, size);
      }
    }
  }

  void write(long offset, int size, long value) {
    synchronized (unit.commandLock()) {
      synchronized (unit.state()) {
        unit.monitor().noticeCycles();
        registers.write(offset, size, value);
      }
      if (drainPending) {
        drainPending = false;
        unit.windows().drain();
      }
      if (debugPending) {
        debugPending = false;
        debug.run();
      }
      if (runPending) {
        runPending = false;
        unit.commandQueue().run();
      }
    }
  }

  void runLater() {
    runPending = true;
  }

  void debugLater() {
    debugPending = true;
  }

  /** ddtp has changed: accesses under the old directory end before the write returns. */
  void directoryChanged() {
    unit.refresh();
    if (unit.config().caches().behaviour() == CacheBehaviour.NORMAL) {
      // The quick path trusts that a cached context fits the directory's depth.
      unit.contexts().invalidateAll();
      unit.cachesChanged();
    }
    drainPending = true;
  }

  /** Takes registers as a capture shows them, without effects. */
  void restore(RegisterImage image) {
    synchronized (unit.commandLock()) {
      synchronized (unit.state()) {
        for (Register r : Registers.ALL) {
          if (registers.has(r)) {
            registers.post(r, r.width() == 8 ? image.get64(r.offset()) : image.get32(r.offset()));
          }
        }
        unit.monitor().restore(registers);
        unit.refresh();
      }
    }
  }
}
