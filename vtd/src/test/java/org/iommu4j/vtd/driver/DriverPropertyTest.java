package org.iommu4j.vtd.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.driver.testing.DriverProperties;
import org.iommu4j.driver.testing.DriverRig;
import org.iommu4j.driver.testing.PcWorld;
import org.iommu4j.driver.testing.Places;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;

/**
 * Any sequence of driver calls and DMA comes out as an interval map says: with caches that keep all
 * they may, in legacy and scalable mode, with each stage, and on units that lack things.
 */
class DriverPropertyTest extends DriverProperties {
  /** What the driver and its unit are made of, all with all cache behaviours. */
  static final List<Rig.Builder> RIGS = rigs();

  private static List<Rig.Builder> rigs() {
    List<Rig.Builder> all = new ArrayList<>();
    for (String cache : List.of("normal", "worst-case", "off")) {
      all.add(Rig.with().unit("cache", cache));
      all.add(Rig.with().unit("cache", cache).driver("stage", "second"));
      all.add(Rig.with().unit("cache", cache).driver("mode", "legacy"));
      for (String stage : List.of("first", "second")) {
        all.add(
            Rig.with()
                .cap(Capability.CM, 1)
                .unit("cache", cache)
                .driver("stage", stage)
                .driver("flush_limit", 2));
      }
      all.add(Rig.with().cap(Capability.CM, 1).unit("cache", cache).driver("mode", "legacy"));
      // The least that is of use: three levels, 4K pages, 16 domains, registers, no pass-through.
      all.add(
          Rig.with()
              .cap(Capability.ND, 0)
              .cap(Capability.SAGAW, 2)
              .cap(Capability.MGAW, 38)
              .cap(Capability.SSLPS, 1)
              .cap(Capability.PSI, 0)
              .cap(Capability.MAMV, 0)
              .cap(Capability.ESRTPS, 0)
              .ecap(ExtendedCapability.PT, 0)
              .unit("haw", 39)
              .unit("cache", cache)
              .driver("mode", "legacy")
              .driver("invalidation", "registers"));
      all.add(
          Rig.with()
              .ecap(ExtendedCapability.PT, 0)
              .cap(Capability.MAMV, 3)
              .cap(Capability.FS1GP, 0)
              .unit("cache", cache)
              .driver("levels", 4));
      all.add(
          Rig.with()
              .ecap(ExtendedCapability.PT, 0)
              .unit("cache", cache)
              .driver("stage", "second")
              .driver("levels", 3)
              .driver("page_sizes", 0x1000));
    }
    return all;
  }

  DriverPropertyTest() {
    super(20, Places.ofPc(Rig.DATA), PcWorld::new);
  }

  /** Without abort mode the empty root table stays. */
  @Override
  protected void checkClosed(DriverRig rig) {
    assertThat(rig.frames.inUse()).isIn(0L, 4096L);
  }
}
