package org.iommu4j.amdvi.driver;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.driver.testing.DriverProperties;
import org.iommu4j.driver.testing.Places;

/**
 * Any sequence of driver calls and DMA comes out as an interval map says: with caches that keep all
 * they may, with host tables and with guest tables, and on units that lack things.
 */
class DriverPropertyTest extends DriverProperties {
  /** What the driver and its unit are made of, all with all cache behaviours. */
  static final List<Rig.Builder> RIGS = rigs();

  private static List<Rig.Builder> rigs() {
    List<Rig.Builder> all = new ArrayList<>();
    for (String cache : List.of("normal", "worst-case", "off")) {
      all.add(Rig.with().unit("cache", cache));
      all.add(Rig.with().unit("cache", cache).driver("tables", "host"));
      all.add(Rig.with().unit("cache", cache).driver("flush_limit", 0));
      all.add(Rig.with().unit("cache", cache).driver("tables", "host").driver("flush_limit", 2));
      all.add(Rig.with().unit("cache", cache).driver("tables", "host").driver("levels", 3));
      all.add(Rig.with().unit("cache", cache).driver("pasid_bits", 7));
      all.add(
          Rig.with()
              .efr(ExtendedFeatures.GATS, 1)
              .efr(ExtendedFeatures.HATS, 1)
              .unit("cache", cache)
              .driver("levels", 5));
      all.add(
          Rig.with().unit("cache", cache).driver("tables", "host").driver("page_sizes", 0x1000));
      // The least that is of use: host tables, PASIDs unknown, short interrupt entries.
      all.add(
          Rig.with()
              .efr(ExtendedFeatures.GT_SUP, 0)
              .efr(ExtendedFeatures.GIO_SUP, 0)
              .efr(ExtendedFeatures.GA_SUP, 0)
              .efr(ExtendedFeatures.IA_SUP, 0)
              .efr(ExtendedFeatures.XT_SUP, 0)
              .unit("cache", cache));
    }
    return all;
  }

  DriverPropertyTest() {
    super(20, Places.ofPc(Rig.DATA), World::new);
  }
}
