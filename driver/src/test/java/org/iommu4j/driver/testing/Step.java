package org.iommu4j.driver.testing;

import java.util.List;
import org.iommu4j.core.dma.Access;

/** One call of the driver, by numbers only, so that a failing sequence can be read and replayed. */
public sealed interface Step {
  /** Maps a range in a domain. */
  record Map(int domain, long iova, long pa, long size, int permissions) implements Step {
    @Override
    public String toString() {
      return "map in %d: 0x%x -> 0x%x, 0x%x bytes, %s"
          .formatted(domain, iova, pa, size, Access.permissions(permissions));
    }
  }

  /** Unmaps ranges of one size in a domain, in one batch if there are several. */
  record Unmap(int domain, List<Long> iovas, long size) implements Step {
    @Override
    public String toString() {
      return "unmap in %d: %s, 0x%x bytes"
          .formatted(domain, iovas.stream().map("0x%x"::formatted).toList(), size);
    }
  }

  /** Unmaps a range in a batch, and maps it elsewhere while the batch is still open. */
  record Remap(int domain, long iova, long pa, long size) implements Step {
    @Override
    public String toString() {
      return "remap in %d: 0x%x -> 0x%x, 0x%x bytes".formatted(domain, iova, pa, size);
    }
  }

  /** Attaches a device, or its requests with a PASID. */
  record Attach(int source, int pasid, int domain) implements Step {}

  /** Detaches it. */
  record Detach(int source, int pasid, int domain) implements Step {}

  /** Closes a domain and makes a new one of the same type. */
  record Reopen(int domain) implements Step {}
}
