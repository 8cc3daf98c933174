package org.iommu4j.core.dma;

/**
 * A Page Request or Stop Marker message of a device (PCIe PRI).
 *
 * @param source requester id, segment included if {@code segmented}
 * @param segmented whether the message carries a segment
 * @param pasid PASID or {@link DmaRequest#NO_PASID}
 * @param access {@link Access#PRIVILEGED} and {@link Access#EXECUTE} of the PASID prefix
 * @param payload bit 0 R, 1 W, 2 L (last), 11:3 group index, 63:12 page address
 */
public record PageRequest(int source, boolean segmented, int pasid, int access, long payload) {}
