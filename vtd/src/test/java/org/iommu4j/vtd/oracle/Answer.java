package org.iommu4j.vtd.oracle;

/**
 * What a request comes to.
 *
 * @param status "success", "message", "ur" or "ca"
 * @param reason the id of the condition that was met; empty if there was none
 * @param logged whether a fault is recorded
 * @param pa the answer's address, offset included
 * @param sizeShift log2 of the largest range that the answer may claim; 64 if anything
 * @param readable R of all stages
 * @param writable W of all stages
 * @param untranslatedOnly U of the completion
 */
public record Answer(
    String status,
    String reason,
    boolean logged,
    long pa,
    int sizeShift,
    boolean readable,
    boolean writable,
    boolean untranslatedOnly) {

  static Answer refused(String status, String reason, boolean logged) {
    return new Answer(status, reason, logged, 0, 64, false, false, false);
  }

  static Answer granted(long pa, int sizeShift, boolean readable, boolean writable) {
    return new Answer("success", "", false, pa, sizeShift, readable, writable, false);
  }

  /** An address that stays as it is. */
  static Answer unchanged(long pa) {
    return granted(pa, 64, true, true);
  }

  @Override
  public String toString() {
    return "%s%s pa 0x%x of 2^%d %s%s%s%s"
        .formatted(
            status,
            reason.isEmpty() ? "" : " " + reason,
            pa,
            sizeShift,
            readable ? "R" : "-",
            writable ? "W" : "-",
            untranslatedOnly ? "U" : "",
            logged ? " logged" : "");
  }
}
