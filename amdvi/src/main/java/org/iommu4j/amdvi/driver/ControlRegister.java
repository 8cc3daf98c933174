package org.iommu4j.amdvi.driver;

import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.core.bits.Field;
import org.iommu4j.driver.support.Unit;

/** Single bits of the control register, the others as they are. */
final class ControlRegister {
  private final Unit unit;

  ControlRegister(Unit unit) {
    this.unit = unit;
  }

  synchronized void set(Field field, boolean on) {
    set(field, on ? 1 : 0);
  }

  synchronized void set(Field field, int value) {
    unit.write(Control.REGISTER, field.set(unit.read(Control.REGISTER), value));
  }

  boolean isSet(Field field) {
    return field.isSet(unit.read(Control.REGISTER));
  }
}
