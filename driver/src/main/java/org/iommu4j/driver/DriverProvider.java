package org.iommu4j.driver;

import java.util.List;
import java.util.ServiceLoader;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.Options;

/** The software half of an architecture's module, found through {@link ServiceLoader}. */
public interface DriverProvider {
  /** The architecture's id, as {@link org.iommu4j.core.Architecture#id}. */
  String architecture();

  /** The settings that {@link #probe} takes. */
  default List<Architecture.Option> options() {
    return List.of();
  }

  /**
   * A driver for the unit behind the host's registers; nothing is written before {@link
   * IommuDriver#start}.
   *
   * @throws DriverException if the unit lacks what the driver needs
   * @throws Options.InvalidOption if a setting is unknown or cannot be used
   */
  IommuDriver probe(DriverHost host, Options options);

  /**
   * The provider for an architecture.
   *
   * @throws IllegalArgumentException if it is not present; the message names those that are
   */
  static DriverProvider forArchitecture(String id) {
    List<DriverProvider> all =
        ServiceLoader.load(DriverProvider.class).stream().map(ServiceLoader.Provider::get).toList();
    for (DriverProvider p : all) {
      if (p.architecture().equals(id)) {
        return p;
      }
    }
    throw new IllegalArgumentException(
        "no driver for architecture '"
            + id
            + "'; present are "
            + String.join(", ", all.stream().map(DriverProvider::architecture).sorted().toList()));
  }
}
