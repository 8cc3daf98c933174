package org.iommu4j.vtd.model;

import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;

/**
 * The register page: accesses one after the other, and what a write leaves to be done without the
 * state lock.
 */
final class RegisterPage {
  private final VtdIommu unit;
  private final RegisterFile registers;

  /** Where software writes. */
  private long writing;

  // What a register write left to be done.
  private boolean interruptsPending;
  private boolean runPending;
  private boolean drainPending;
  private boolean contextPending;
  private boolean translationPending;

  RegisterPage(VtdIommu unit) {
    this.unit = unit;
    registers = RegisterBank.create(unit);
  }

  /** The registers; state lock. */
  RegisterFile registers() {
    return registers;
  }

  long read(long offset, int size) {
    synchronized (unit.commandLock()) {
      unit.queue().run(); // what a long queue left over
      synchronized (unit.state()) {
        return registers.read(offset, size);
      }
    }
  }

  void write(long offset, int size, long value) {
    synchronized (unit.commandLock()) {
      synchronized (unit.state()) {
        writing = offset;
        registers.write(offset, size, value);
      }
      changeInterrupts();
      if (contextPending) {
        contextPending = false;
        unit.registerInvalidation().context();
      }
      if (translationPending) {
        translationPending = false;
        unit.registerInvalidation().translations();
      }
      if (drainPending) {
        drainPending = false;
        unit.windows().drain();
      }
      if (runPending) {
        runPending = false;
        unit.queue().run();
      }
    }
  }

  /** Whether the write under way is one of a register's bits 63:32 alone. */
  boolean writesUpperHalf(Register register) {
    return writing == register.offset() + 4;
  }

  private void changeInterrupts() {
    if (interruptsPending) {
      interruptsPending = false;
      unit.commands().interruptsChanged();
    }
  }

  void interruptsLater() {
    interruptsPending = true;
  }

  void runLater() {
    runPending = true;
  }

  void drainLater() {
    drainPending = true;
  }

  void contextLater() {
    contextPending = true;
  }

  void translationLater() {
    translationPending = true;
  }

  /** Takes registers as a capture shows them, without effects. */
  void restore(RegisterImage image) {
    synchronized (unit.commandLock()) {
      synchronized (unit.state()) {
        for (Register r : registers.registers()) {
          registers.post(r, r.width() == 8 ? image.get64(r.offset()) : image.get32(r.offset()));
        }
        unit.commands().restore();
      }
      changeInterrupts();
    }
  }
}
