package org.iommu4j.vtd.driver;

import java.util.List;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Register;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.driver.IommuDriver;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Registers;

/** Drivers for the remapping units of VT-d. */
public final class VtdDriverProvider implements DriverProvider {
  /** For the service loader. */
  public VtdDriverProvider() {}

  @Override
  public String architecture() {
    return "vtd";
  }

  @Override
  public List<Option> options() {
    return Settings.OPTIONS;
  }

  @Override
  public IommuDriver probe(DriverHost host, Options options) {
    Plan plan =
        Plan.of(
            read(host, Registers.VER),
            read(host, Capability.REGISTER),
            read(host, ExtendedCapability.REGISTER),
            Settings.of(options));
    if (host.frames().last() >>> plan.haw() != 0) {
      throw new DriverException(
          "the memory for tables reaches up to 0x%x, the unit to 0x%x; give the driver lower frames"
              .formatted(host.frames().last(), (1L << plan.haw()) - 1));
    }
    return new VtdDriver(host, plan);
  }

  private static long read(DriverHost host, Register r) {
    return host.registers().read(r.offset(), r.width());
  }
}
