package org.iommu4j.conformance.riscvref;

import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.machine.capture.StrictObject;

/**
 * The device of a message: {@code device_id = dseg << 16 | rid}.
 *
 * @param source device_id
 * @param segmented whether the message names a segment
 */
record Device(int source, boolean segmented) {
  /** The fields {@code rid} and {@code dseg}. */
  static Device read(StrictObject fields) {
    int rid = fields.integer("rid", 0, 0xffff);
    boolean segmented = fields.has("dseg");
    return new Device((segmented ? fields.integer("dseg", 0, 0xff) << 16 : 0) | rid, segmented);
  }

  /** The field {@code pasid}, which may be null. */
  static int pasid(StrictObject fields) {
    return fields.integer("pasid", 0, 0xfffff, DmaRequest.NO_PASID);
  }
}
