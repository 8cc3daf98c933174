package org.iommu4j.vtd.oracle;

/**
 * One request of a device.
 *
 * @param kind what the address is
 * @param sid requester id
 * @param pasid -1 for none
 * @param privileged Privileged Mode Requested
 * @param execute execute requested
 * @param what what is done; of a translation request READ
 * @param noWrite NW of a translation request
 * @param address as the device sent it
 */
public record Ask(
    Kind kind,
    int sid,
    int pasid,
    boolean privileged,
    boolean execute,
    What what,
    boolean noWrite,
    long address) {
  /** PCIe address types, by their AT. */
  public enum Kind {
    UNTRANSLATED,
    TRANSLATION_REQUEST,
    TRANSLATED
  }

  /** What is done. */
  public enum What {
    READ,
    WRITE,
    ATOMIC,
    ZERO_LENGTH_READ
  }

  boolean hasPasid() {
    return pasid >= 0;
  }

  boolean ats() {
    return kind == Kind.TRANSLATION_REQUEST;
  }

  boolean untranslated() {
    return kind == Kind.UNTRANSLATED;
  }

  boolean translated() {
    return kind == Kind.TRANSLATED;
  }

  boolean writes() {
    return !ats() && (what == What.WRITE || what == What.ATOMIC);
  }

  boolean reads() {
    return !ats() && what != What.WRITE;
  }

  /** The upper half of its fault record, for a reason. */
  public long record(int code) {
    boolean pasidPresent = hasPasid();
    boolean t1 = ats() || what != What.WRITE;
    boolean t2 = !ats() && what == What.ATOMIC;
    return (1L << 63)
        | (t1 ? 1L << 62 : 0)
        | (long) kind.ordinal() << 60
        | (pasidPresent ? (long) pasid << 40 : 0)
        | (long) code << 32
        | (pasidPresent ? 1L << 31 : 0)
        | (pasidPresent && execute ? 1L << 30 : 0)
        | (pasidPresent && privileged ? 1L << 29 : 0)
        | (t2 ? 1L << 28 : 0)
        | sid;
  }

  @Override
  public String toString() {
    return "%s %s of 0x%x by 0x%x%s%s%s%s"
        .formatted(
            kind,
            what,
            address,
            sid,
            hasPasid() ? " pasid 0x" + Integer.toHexString(pasid) : "",
            privileged ? " privileged" : "",
            execute ? " execute" : "",
            noWrite ? " no-write" : "");
  }
}
