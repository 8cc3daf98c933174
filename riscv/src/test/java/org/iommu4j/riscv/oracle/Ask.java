package org.iommu4j.riscv.oracle;

/**
 * One request of a device.
 *
 * @param kind what the address is
 * @param did device_id
 * @param pasid process_id, -1 for none
 * @param privileged Privileged Mode Requested
 * @param execute execute requested
 * @param write a write or atomic; of a translation request: "no write" was not asked for
 * @param cxl by a CXL type 1 or 2 device
 * @param iova the address
 */
public record Ask(
    Kind kind,
    int did,
    int pasid,
    boolean privileged,
    boolean execute,
    boolean write,
    boolean cxl,
    long iova) {
  /** PCIe address types. */
  public enum Kind {
    UNTRANSLATED,
    TRANSLATED,
    TRANSLATION_REQUEST
  }

  boolean hasPasid() {
    return pasid >= 0;
  }

  boolean ats() {
    return kind == Kind.TRANSLATION_REQUEST;
  }

  /** What has to be granted, as R = 1, W = 2, X = 4. */
  int needs() {
    return switch (kind) {
      case UNTRANSLATED -> write ? 2 : execute ? 4 : 1;
      case TRANSLATED -> write ? 2 : execute && hasPasid() ? 5 : 1;
      case TRANSLATION_REQUEST -> 1 | (write ? 2 : 0) | (execute && hasPasid() ? 4 : 0);
    };
  }

  /** After which access faults are named: x, r or w, looked at in this order. */
  char named() {
    int n = needs();
    return (n & 4) != 0 ? 'x' : (n & 1) != 0 ? 'r' : 'w';
  }

  boolean supervisor() {
    return hasPasid() && privileged;
  }

  /** TTYP of a fault record. */
  public int type() {
    return switch (kind) {
      case UNTRANSLATED -> write ? 3 : execute ? 1 : 2;
      case TRANSLATED -> write ? 7 : execute && hasPasid() ? 5 : 6;
      case TRANSLATION_REQUEST -> 8;
    };
  }
}
