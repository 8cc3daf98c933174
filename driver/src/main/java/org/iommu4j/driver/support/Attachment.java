package org.iommu4j.driver.support;

import org.iommu4j.core.dma.DmaRequest;

/**
 * A device that uses a domain.
 *
 * @param source its requester id
 * @param pasid the PASID of the requests concerned, {@link DmaRequest#NO_PASID} for those without
 */
public record Attachment(int source, int pasid) {
  /** Whether this is about requests with a PASID. */
  public boolean hasPasid() {
    return pasid != DmaRequest.NO_PASID;
  }
}
