package org.iommu4j.riscv.driver;

import java.util.List;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.Options;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.driver.IommuDriver;
import org.iommu4j.riscv.layout.Capabilities;

/** Drivers for RISC-V IOMMUs. */
public final class RiscvDriverProvider implements DriverProvider {
  /** For the service loader. */
  public RiscvDriverProvider() {}

  @Override
  public String architecture() {
    return "riscv";
  }

  @Override
  public List<Option> options() {
    return Settings.OPTIONS;
  }

  @Override
  public IommuDriver probe(DriverHost host, Options options) {
    int offset = Capabilities.REGISTER.offset();
    long capabilities = host.registers().read(offset, Capabilities.REGISTER.width());
    Plan plan = Plan.of(capabilities, Settings.of(options));
    if (host.frames().last() >>> plan.paBits() != 0) {
      throw new DriverException(
          "the memory for tables reaches up to 0x%x, the unit to 0x%x; give the driver lower frames"
              .formatted(host.frames().last(), (1L << plan.paBits()) - 1));
    }
    return new RiscvDriver(host, plan);
  }
}
