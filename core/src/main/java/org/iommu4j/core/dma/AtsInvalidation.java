package org.iommu4j.core.dma;

/**
 * An Invalidation Request that the unit sends to a device's translation cache (PCIe ATS).
 *
 * @param source requester id of the device, segment included if {@code segmented}
 * @param segmented whether the message carries a segment
 * @param pasid the PASID prefix, or {@link DmaRequest#NO_PASID}
 * @param tag the ITag, 0..31, that the completion names
 * @param payload the message body: bit 0 Global, bit 11 S, bits 63:12 address
 */
public record AtsInvalidation(int source, boolean segmented, int pasid, int tag, long payload) {}
