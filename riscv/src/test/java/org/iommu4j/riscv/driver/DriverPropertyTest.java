package org.iommu4j.riscv.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.driver.testing.DriverProperties;
import org.iommu4j.driver.testing.DriverRig;
import org.iommu4j.driver.testing.Places;
import org.iommu4j.riscv.layout.Capabilities;

/**
 * Any sequence of driver calls and DMA comes out as an interval map says: with caches that keep all
 * they may, in every page-table mode, both formats of device contexts, and units that lack things.
 */
class DriverPropertyTest extends DriverProperties {
  /** What the driver and its unit are made of, all with all cache behaviours. */
  static final List<Rig.Builder> RIGS = rigs();

  private static List<Rig.Builder> rigs() {
    List<Rig.Builder> all = new ArrayList<>();
    for (String cache : List.of("normal", "worst-case", "off")) {
      all.add(Rig.with().unit("cache", cache));
      // The least that is of use: Sv39, base format, one directory level, no PASIDs, NL or S.
      all.add(
          Rig.with()
              .capabilities(Rig.BASE, Capabilities.SV39)
              .unit("max_iommu_mode", 2)
              .unit("cache", cache));
      all.add(
          Rig.with()
              .capabilities(
                  Rig.BASE, Capabilities.SV39, Capabilities.SV48, Capabilities.NL, Capabilities.PD8)
              .unit("max_iommu_mode", 3)
              .unit("cache", cache)
              .driver("flush_limit", 3));
      all.add(
          Rig.with()
              .capabilities(
                  Rig.BASE,
                  Capabilities.SV39,
                  Capabilities.S,
                  Capabilities.MSI_FLAT,
                  Capabilities.SV39X4,
                  Capabilities.PD17,
                  Capabilities.AMO_HWAD)
              .unit("cache", cache)
              .driver("ad", "hardware")
              .driver("pdt", "always"));
      all.add(Rig.with().unit("cache", cache).driver("stage", "second"));
      all.add(
          Rig.with()
              .capabilities(Rig.BASE, Capabilities.SV39X4)
              .unit("cache", cache)
              .driver("flush_limit", 0));
      all.add(Rig.with().unit("cache", cache).driver("stage", "second").driver("mode", "sv48"));
      all.add(Rig.with().unit("cache", cache).driver("stage", "nested"));
      all.add(
          Rig.with()
              .unit("cache", cache)
              .driver("stage", "nested")
              .driver("mode", "sv39")
              .driver("ad", "hardware"));
      all.add(Rig.with().unit("cache", cache).driver("page_sizes", 0x1000));
    }
    return all;
  }

  DriverPropertyTest() {
    super(
        25,
        new Places(
            List.of(0x08, 0x09, 0x20),
            List.of(1, 2, 3),
            0x5000_0000L,
            random -> Places.page(random, 4),
            2),
        World::new);
  }

  @Override
  protected void checkClosed(DriverRig rig) {
    assertThat(rig.frames.inUse()).isZero();
  }
}
