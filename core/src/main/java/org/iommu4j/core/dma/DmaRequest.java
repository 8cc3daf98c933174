package org.iommu4j.core.dma;

/**
 * One DMA access as it arrives at the IOMMU: a flyweight that the caller owns and reuses.
 *
 * <pre>{@code
 * request.source(0x08).pasid(DmaRequest.NO_PASID).iova(0x1000).access(Access.READ);
 * if (iommu.translate(request, translation)) { ... translation.pa() ... }
 * }</pre>
 */
public final class DmaRequest {
  /** The request carries no PASID (process_id, SubstreamID). */
  public static final int NO_PASID = -1;

  private int source;
  private int pasid = NO_PASID;
  private long iova;
  private int access = Access.READ;
  private AddressType addressType = AddressType.UNTRANSLATED;

  /** Requester id, stream id or device id, in the architecture's width. */
  public int source() {
    return source;
  }

  /** The PASID, or {@link #NO_PASID}. */
  public int pasid() {
    return pasid;
  }

  /** The address as the device sent it. */
  public long iova() {
    return iova;
  }

  /** {@link Access} bits. For a translation request WRITE means "no write" was not asked for. */
  public int access() {
    return access;
  }

  /** What {@link #iova} is. */
  public AddressType addressType() {
    return addressType;
  }

  /** Sets the requester. */
  public DmaRequest source(int value) {
    source = value;
    return this;
  }

  /** Sets the PASID; {@link #NO_PASID} for none. */
  public DmaRequest pasid(int value) {
    pasid = value;
    return this;
  }

  /** Sets the address. */
  public DmaRequest iova(long value) {
    iova = value;
    return this;
  }

  /** Sets the {@link Access} bits. */
  public DmaRequest access(int bits) {
    access = bits;
    return this;
  }

  /** Sets the address type. */
  public DmaRequest addressType(AddressType value) {
    addressType = value;
    return this;
  }

  /** Whether a PASID is present. */
  public boolean hasPasid() {
    return pasid >= 0;
  }

  /** Copies another request's fields. */
  public DmaRequest copyFrom(DmaRequest other) {
    source = other.source;
    pasid = other.pasid;
    iova = other.iova;
    access = other.access;
    addressType = other.addressType;
    return this;
  }

  @Override
  public String toString() {
    return "%s of 0x%x by 0x%x%s (%s)"
        .formatted(
            Access.describe(access),
            iova,
            source,
            hasPasid() ? " pasid " + pasid : "",
            addressType);
  }
}
