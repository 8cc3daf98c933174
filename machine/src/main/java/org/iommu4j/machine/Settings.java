package org.iommu4j.machine;

import org.iommu4j.core.iotlb.CacheBehaviour;
import org.jspecify.annotations.Nullable;

/**
 * What the caller decides in place of the platform file.
 *
 * @param arch the architecture of all units; null for what the file says
 * @param cache the cache behaviour of all units; null for what the file says
 */
public record Settings(@Nullable String arch, @Nullable CacheBehaviour cache) {
  /** All as the file says. */
  public static final Settings NONE = new Settings(null, null);
}
