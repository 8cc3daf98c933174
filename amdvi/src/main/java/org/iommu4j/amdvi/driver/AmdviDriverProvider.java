package org.iommu4j.amdvi.driver;

import java.util.List;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.Options;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.DriverProvider;
import org.iommu4j.driver.IommuDriver;

/** Drivers for the units of AMD-Vi. */
public final class AmdviDriverProvider implements DriverProvider {
  /** For the service loader. */
  public AmdviDriverProvider() {}

  @Override
  public String architecture() {
    return "amdvi";
  }

  @Override
  public List<Option> options() {
    return Settings.OPTIONS;
  }

  @Override
  public IommuDriver probe(DriverHost host, Options options) {
    long features = host.registers().read(ExtendedFeatures.REGISTER.offset(), 8);
    long features2 = host.registers().read(ExtendedFeatures.REGISTER_2.offset(), 8);
    return new AmdviDriver(host, Plan.of(features, features2, Settings.of(options)));
  }
}
