package org.iommu4j.amdvi.oracle;

/**
 * One request of a device.
 *
 * @param kind what the address is
 * @param device DeviceID
 * @param pasid -1 for none
 * @param privileged Privileged Mode Requested
 * @param execute execute requested
 * @param what what is done; of a translation request READ, or WRITE if "no write" is not set
 * @param address as the device sent it
 */
public record Ask(
    Kind kind,
    int device,
    int pasid,
    boolean privileged,
    boolean execute,
    What what,
    long address) {
  /** PCIe address types. */
  public enum Kind {
    UNTRANSLATED,
    TRANSLATION_REQUEST,
    TRANSLATED
  }

  /** What is done. */
  public enum What {
    READ,
    WRITE,
    ATOMIC
  }

  boolean hasPasid() {
    return pasid >= 0;
  }

  boolean ats() {
    return kind == Kind.TRANSLATION_REQUEST;
  }

  boolean translated() {
    return kind == Kind.TRANSLATED;
  }

  boolean writes() {
    return what != What.READ;
  }

  boolean reads() {
    return what != What.WRITE;
  }

  boolean posted() {
    return what == What.WRITE;
  }

  /** The same for another place. */
  public Ask at(long other) {
    return new Ask(kind, device, pasid, privileged, execute, what, other);
  }

  @Override
  public String toString() {
    return "%s %s of 0x%x by 0x%x%s%s%s"
        .formatted(
            kind,
            what,
            address,
            device,
            hasPasid() ? " pasid 0x" + Integer.toHexString(pasid) : "",
            privileged ? " privileged" : "",
            execute ? " execute" : "");
  }
}
