package org.iommu4j.core.dma;

/**
 * A Page Request Group Response that the unit sends to a device (PCIe PRI).
 *
 * @param source requester id, segment included if {@code segmented}
 * @param segmented whether the message carries a segment
 * @param pasid the PASID prefix, or {@link DmaRequest#NO_PASID}
 * @param group page request group index, 0..511
 * @param code 0 success, 1 invalid request, 15 response failure
 * @param payload the message body as sent
 */
public record PageResponse(
    int source, boolean segmented, int pasid, int group, int code, long payload) {}
