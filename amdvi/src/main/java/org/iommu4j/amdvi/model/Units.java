package org.iommu4j.amdvi.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

  /** A unit in the state that a register image shows. */
  public static Iommu restore(RegisterImage image, CacheBehaviour cache, Host host) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("cache", Options.spelling(cache));
    // A machine's unit may have what the model has not; translations do not depend on it.
    long features = UnitConfig.present(image.get64(ExtendedFeatures.REGISTER.offset()));
    options.put("efr", hex(features));
    options.put("efr2", hex(image.get64(ExtendedFeatures.REGISTER_2.offset())));
    options.put("base", hex(image.base()));
    AmdviIommu unit = new AmdviIommu(UnitConfig.of(Options.of(options)), host);
    unit.restore(image);
    return unit;
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }
}
