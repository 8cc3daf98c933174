package org.iommu4j.vtd.firmware;

import org.jspecify.annotations.Nullable;

/**
 * The PCI bridges of a machine. The table's paths lead through them, so only with them can a path
 * be followed.
 */
@FunctionalInterface
public interface Bridges {
  /**
   * The buses below a bridge.
   *
   * @param secondary the one directly below
   * @param subordinate the last one
   */
  record Buses(int secondary, int subordinate) {}

  /**
   * The buses below a function, null if it is no bridge.
   *
   * @param segment its PCI segment
   * @param function bus, device and function
   */
  @Nullable Buses below(int segment, int function);

  /** A machine of which no bridges are known: paths of one step are all that can be followed. */
  static Bridges none() {
    return (segment, function) -> null;
  }
}
