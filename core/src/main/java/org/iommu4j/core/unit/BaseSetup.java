package org.iommu4j.core.unit;

import org.iommu4j.core.CacheSettings;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.core.memory.PhysicalMemory;

/**
 * What translations of a unit depend on, as one immutable value: device threads read it once per
 * request, a register write that changes any of it publishes a new one.
 *
 * <p>Every architecture adds its own. Fields, not methods, because that is what these are: a walk's
 * constants.
 */
public abstract class BaseSetup {
  /** Where tables are. */
  public final PhysicalMemory memory;

  /** Bits that no physical address of the unit has. */
  public final long beyond;

  /** Some performance counter counts: every event must be looked at. */
  public final boolean counting;

  /** Anything is cached. */
  public final boolean cached;

  /** Everything is kept that may be kept. */
  public final boolean worst;

  private final boolean normal;

  /** The parts that all units have. */
  protected BaseSetup(PhysicalMemory memory, long beyond, CacheSettings caches, boolean counting) {
    this.memory = memory;
    this.beyond = beyond;
    this.counting = counting;
    cached = caches.behaviour() != CacheBehaviour.OFF;
    worst = caches.behaviour() == CacheBehaviour.WORST_CASE;
    normal = caches.behaviour() == CacheBehaviour.NORMAL;
  }

  /** Whether the caches are such that a cached translation needs no second look. */
  protected final boolean normal() {
    return normal;
  }
}
