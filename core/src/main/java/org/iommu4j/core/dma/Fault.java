package org.iommu4j.core.dma;

/**
 * A fault as software reads it from the unit's queue or registers, decoded. Made off the hot path.
 *
 * @param reason the architecture's reason
 * @param source requester id; 0 if the fault belongs to no requester
 * @param pasid PASID or {@link DmaRequest#NO_PASID}
 * @param transaction the architecture's transaction type in words, e.g. {@code untranslated read}
 * @param access {@link Access} bits as far as the record tells them
 * @param address the reported address
 * @param detail the second reported address (guest-physical address), 0 if none
 */
public record Fault(
    FaultReason reason,
    int source,
    int pasid,
    String transaction,
    int access,
    long address,
    long detail) {

  /** One line for people. */
  @Override
  public String toString() {
    return "%s (%d) %s of 0x%x by 0x%x%s%s"
        .formatted(
            reason.title(),
            reason.code(),
            transaction,
            address,
            source,
            pasid >= 0 ? " pasid " + pasid : "",
            detail != 0 ? " gpa 0x%x".formatted(detail) : "");
  }
}
