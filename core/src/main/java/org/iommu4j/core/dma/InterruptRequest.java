package org.iommu4j.core.dma;

/** One interrupt message of a device: a 4-byte write. A flyweight that the caller reuses. */
public final class InterruptRequest {
  private int source;
  private int pasid = DmaRequest.NO_PASID;
  private long address;
  private int data;

  /** Requester of the message. */
  public int source() {
    return source;
  }

  /** PASID of the write, or {@link DmaRequest#NO_PASID}. */
  public int pasid() {
    return pasid;
  }

  /** The address that the device's MSI capability holds. */
  public long address() {
    return address;
  }

  /** The data that the device's MSI capability holds. */
  public int data() {
    return data;
  }

  /** Sets all fields. */
  public InterruptRequest set(int requester, long messageAddress, int messageData) {
    source = requester;
    address = messageAddress;
    data = messageData;
    return this;
  }

  /** Sets the PASID. */
  public InterruptRequest pasid(int value) {
    pasid = value;
    return this;
  }
}
