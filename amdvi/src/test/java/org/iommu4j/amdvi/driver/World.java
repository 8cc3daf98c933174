package org.iommu4j.amdvi.driver;

import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.testing.DriverRig;
import org.iommu4j.driver.testing.PcWorld;
import org.iommu4j.driver.testing.Places;

/** A driver that has PASIDs only where guest tables translate or block. */
final class World extends PcWorld {
  World(DriverRig rig, Places places) {
    super(rig, places);
  }

  @Override
  protected boolean refusesPasids(DomainType type) {
    return type == DomainType.IDENTITY;
  }
}
