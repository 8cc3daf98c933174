package org.iommu4j.riscv.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.Options;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Registers;

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
    return new RiscvIommu(UnitConfig.of(options), host);
  }

  /** A unit in the state that a register image shows. */
  public static Iommu restore(RegisterImage image, CacheBehaviour cache, Host host) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("cache", Options.spelling(cache));
    options.put("capabilities", hex(image.get64(Capabilities.REGISTER.offset())));
    options.put("fctl", hex(image.get32(Registers.FCTL.offset())));
    RiscvIommu unit = new RiscvIommu(UnitConfig.of(Options.of(options)), host);
    unit.page().restore(image);
    return unit;
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }
}
