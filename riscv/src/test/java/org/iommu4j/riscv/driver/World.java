package org.iommu4j.riscv.driver;

import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.driver.testing.DriverRig;
import org.iommu4j.driver.testing.DriverWorld;
import org.iommu4j.driver.testing.Places;

/** A driver whose pages may be executable, and whose identity leads everywhere. */
final class World extends DriverWorld {
  World(DriverRig rig, Places places) {
    super(rig, places);
  }

  @Override
  protected List<Integer> accesses() {
    return List.of(Access.READ, Access.WRITE, Access.READ | Access.EXECUTE);
  }

  /** Who may write may read. */
  @Override
  protected int granted(int permissions) {
    return (permissions & Access.WRITE) != 0 ? permissions | Access.READ : permissions;
  }
}
