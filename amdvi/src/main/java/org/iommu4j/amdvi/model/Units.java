package org.iommu4j.amdvi.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.Options;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.iotlb.CacheBehaviour;

/** Makes units: the only door into this package. */
public final class Units {
  private Units() {}

  /** The settings of a unit. */
  public static List<Option> options() {
    return UnitConfig.OPTIONS;
  }

  /**
   * A unit in its reset state.
   *
   * @throws Options.InvalidOption if a setting is unknown or cannot be used
   */
  public static Iommu create(Options options, Host host) {
    return new AmdviIommu(UnitConfig.of(options), host);
  }

  /**
   * A unit in the state that a register image shows.
   *
   * @throws IllegalArgumentException if no unit can be in that state
   */
  public static Iommu restore(RegisterImage image, CacheBehaviour cache, Host host) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("cache", Options.spelling(cache));
    // A machine's unit may have what the model has not; translations do not depend on it.
    long features = UnitConfig.present(image.get64(ExtendedFeatures.REGISTER.offset()));
    options.put("efr", hex(features));
    long features2 = UnitConfig.present2(image.get64(ExtendedFeatures.REGISTER_2.offset()));
    options.put("efr2", hex(features2));
    options.put("base", hex(image.base()));
    int segments = Control.DEV_TBL_SEG_EN.getInt(image.get64(Control.REGISTER.offset()));
    int most = ExtendedFeatures.DEV_TBL_SEG_SUP.getInt(features);
    if (segments > most) {
      throw new IllegalArgumentException(
          "unit '%s': DevTblSegEn is %d, and by DevTblSegSup at most %d; take the capture again"
              .formatted(image.name(), segments, most));
    }
    AmdviIommu unit = new AmdviIommu(UnitConfig.of(Options.of(options)), host);
    unit.page().restore(image);
    return unit;
  }

  /**
   * What firmware does to a unit when it makes the system SNP-enabled, or ends that.
   *
   * @param enable false: the other parameters do not matter
   * @return false if the unit is not such that firmware goes on
   * @throws IllegalArgumentException if it is no unit of this package, or the table cannot be
   */
  public static boolean secureNestedPaging(
      Iommu unit, boolean enable, long rmpBase, long rmpEnd, long rmpCfg) {
    if (!(unit instanceof AmdviIommu it)) {
      throw new IllegalArgumentException("not an AMD-Vi unit: " + unit.getClass().getName());
    }
    Rmp table = enable ? Rmp.of(rmpBase, rmpEnd, rmpCfg) : null;
    if (enable && table == null) {
      throw new IllegalArgumentException("RMP_BASE is 0: there is no reverse map table");
    }
    return it.secureNestedPaging(table);
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }
}
