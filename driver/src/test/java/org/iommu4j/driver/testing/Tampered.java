package org.iommu4j.driver.testing;

import org.iommu4j.core.memory.Mmio;

/** A unit's registers, with something between them and the driver. */
public class Tampered implements Mmio {
  private final Mmio unit;

  protected Tampered(Mmio unit) {
    this.unit = unit;
  }

  @Override
  public long read(long offset, int size) {
    return unit.read(offset, size);
  }

  @Override
  public void write(long offset, int size, long value) {
    unit.write(offset, size, value);
  }
}
