package org.iommu4j.core.iotlb;

/** How much a unit caches. */
public enum CacheBehaviour {
  /** Nothing: every access walks. A reference for tests. */
  OFF,
  /** A plausible, fast cache. */
  NORMAL,
  /**
   * Keeps everything that the specification permits for as long as it permits. Software that
   * survives this survives all hardware.
   */
  WORST_CASE
}
