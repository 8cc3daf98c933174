package org.iommu4j.machine.scenario;

import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.machine.description.PlatformDescription.Traffic;
import org.jspecify.annotations.Nullable;

/**
 * What traffic came to.
 *
 * @param traffic what was asked for
 * @param actor the device, with its PASID
 * @param accesses carried out by all threads in the median piece of several
 * @param nanos of wall time that the piece took
 * @param bareNanos nanoseconds of one access without IOMMU, by one thread; 0 if not measured
 * @param hits IOTLB hits, if the unit counts them, otherwise -1
 * @param misses IOTLB misses, if the unit counts them, otherwise -1
 * @param blocked why traffic stopped early; null if it did not
 */
public record Throughput(
    Traffic traffic,
    String actor,
    long accesses,
    long nanos,
    double bareNanos,
    long hits,
    long misses,
    @Nullable FaultReason blocked) {
  /** Accesses in a second. */
  public double perSecond() {
    return nanos == 0 ? 0 : accesses * 1e9 / nanos;
  }

  /** Bytes in a second. */
  public double bytesPerSecond() {
    return perSecond() * traffic.access();
  }

  /** Nanoseconds of one access, per thread. */
  public double nanosPerAccess() {
    return accesses == 0 ? 0 : (double) nanos * traffic.threads() / accesses;
  }
}
