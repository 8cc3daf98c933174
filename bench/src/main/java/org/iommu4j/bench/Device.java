package org.iommu4j.bench;

import java.util.Map;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.Translation;

/** One device thread without a port: request, answer, and a sequence of random pages. */
final class Device {
  final Iommu iommu;
  final DmaRequest request = new DmaRequest();
  final Translation translation = new Translation();
  private long random = 42;

  Device(Machine machine) {
    iommu = machine.iommu();
    request.source(machine.source());
  }

  /** Reads at {@code iova}: the physical address. Only for what is mapped. */
  long read(long iova) {
    request.iova(iova).access(Access.READ);
    if (!iommu.translate(request, translation)) {
      throw new IllegalStateException(request + ": " + translation.reason());
    }
    return translation.pa();
  }

  /** A page number below 4,096; 0.5 ns. */
  int page() {
    random = random * 6364136223846793005L + 1442695040888963407L;
    return (int) (random >>> 52);
  }

  /** A unit whose caches hold one entry, so that every walk reads every table. */
  static Map<String, String> uncached() {
    return Map.of(
        "iotlb.sets", "1", "iotlb.ways", "1", "walk_cache.sets", "1", "walk_cache.ways", "1");
  }
}
