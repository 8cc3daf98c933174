package org.iommu4j.vtd.driver;

import org.iommu4j.core.bits.Field;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.vtd.layout.Registers;

/**
 * Commands through GCMD_REG. §11.4.4.1: one bit at a time, the others as GSTS_REG shows them, but
 * for those that would be carried out once more; and each is waited for.
 */
final class Control {
  /** What a write starts anew each time: SRTP, SFL, WBF, SIRTP. */
  private static final long LEVELS =
      ~(Registers.SRTP.mask()
          | Registers.SFL.mask()
          | Registers.WBF.mask()
          | Registers.SIRTP.mask());

  private final Unit unit;

  Control(Unit unit) {
    this.unit = unit;
  }

  long status() {
    return unit.read(Registers.GSTS);
  }

  /** Turns something on or off, and waits until it is. */
  synchronized void set(Field command, Field status, boolean on) {
    long now = status() & LEVELS;
    unit.write(Registers.GCMD, on ? now | command.mask() : now & ~command.mask());
    unit.await(Registers.GSTS, status, on);
  }

  /** Makes the unit take a new table, and waits until it has. */
  synchronized void once(Field command, Field status) {
    unit.write(Registers.GCMD, status() & LEVELS | command.mask());
    unit.await(Registers.GSTS, status, true);
  }

  /** Makes earlier stores reach the unit. §6.8. */
  synchronized void flushBuffers() {
    long now = unit.awaitClear(Registers.GSTS, Registers.WBFS); // what a wait gave up on
    unit.write(Registers.GCMD, now & LEVELS | Registers.WBF.mask());
    unit.awaitClear(Registers.GSTS, Registers.WBFS);
  }
}
