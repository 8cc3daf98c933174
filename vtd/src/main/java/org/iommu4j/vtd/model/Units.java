package org.iommu4j.vtd.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.Options;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Registers;

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
    return unit(UnitConfig.of(options), host);
  }

  /** A unit in the state that a register image shows. */
  public static Iommu restore(RegisterImage image, CacheBehaviour cache, Host host) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("cache", Options.spelling(cache));
    long cap = image.get64(Capability.REGISTER.offset());
    options.put("ver", hex(image.get32(Registers.VER.offset())));
    options.put("cap", hex(cap));
    options.put("ecap", hex(image.get64(ExtendedCapability.REGISTER.offset())));
    // The registers do not tell the host address width, the DMAR table does; it is at most MGAW.
    int mgaw = Capability.MGAW.getInt(cap) + 1;
    options.put("haw", Integer.toString(Math.clamp(mgaw, 32, 52)));
    VtdIommu unit = unit(UnitConfig.of(Options.of(options)), host);
    unit.page().restore(image);
    return unit;
  }

  private static VtdIommu unit(UnitConfig config, Host host) {
    try {
      return new VtdIommu(config, host);
    } catch (IllegalArgumentException e) {
      // The groups of registers that CAP and ECAP place are in each other's way.
      throw new Options.InvalidOption(
          "cap", "FRO, NFR or ECAP.IRO put registers over others: " + e.getMessage());
    }
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }
}
