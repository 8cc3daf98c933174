package org.iommu4j.driver.testing;

import java.util.List;
import org.iommu4j.core.dma.Access;

/** A world whose page tables have no execute permission, as PCs use them. */
public class PcWorld extends DriverWorld {
  public PcWorld(DriverRig rig, Places places) {
    super(rig, places);
  }

  @Override
  protected final List<Integer> accesses() {
    return List.of(Access.READ, Access.WRITE);
  }

  /** Some tables have no pages to write but not to read. */
  @Override
  protected final int granted(int permissions) {
    boolean write = (permissions & Access.WRITE) != 0;
    boolean read = (permissions & ~Access.WRITE) != 0;
    boolean readable = read || !rig.driver.capabilities().writeOnly();
    return (write ? Access.WRITE : 0) | (readable ? Access.READ : 0);
  }

  /** Where there is no memory a table in place of pass-through has no page. */
  @Override
  protected final boolean leadsToItself(long iova) {
    return rig.memory.region(iova).holds(iova);
  }
}
