package org.iommu4j.amdvi.oracle;

/**
 * What a request comes to.
 *
 * @param status "granted", "message" or "aborted"
 * @param cause the cause's name; empty if there was none
 * @param logged whether an event is logged
 * @param first the event's first word
 * @param second the event's second word
 * @param pa the answer's address, offset included
 * @param sizeShift log2 of the largest range that the answer may claim; 64 if anything
 * @param writeShift the same of an answer that can be used to write
 * @param readable of all stages
 * @param writable of all stages
 * @param executable of all stages
 * @param untranslatedOnly U of the completion
 */
public record Answer(
    String status,
    String cause,
    boolean logged,
    long first,
    long second,
    long pa,
    int sizeShift,
    int writeShift,
    boolean readable,
    boolean writable,
    boolean executable,
    boolean untranslatedOnly) {

  static Answer aborted(String cause, boolean logged, long first, long second) {
    return new Answer(
        "aborted", cause, logged, first, second, 0, 64, 64, false, false, false, false);
  }

  /** A translation request that finds nothing. */
  static Answer nothing(String cause, boolean logged, long first, long second) {
    return new Answer(
        "granted", cause, logged, first, second, 0, 64, 64, false, false, false, false);
  }

  static Answer granted(long pa, int shift, boolean r, boolean w, boolean x, boolean u) {
    return new Answer("granted", "", false, 0, 0, pa, shift, shift, r, w, x, u);
  }

  /** The same, to be written only in so many bytes. */
  Answer writableIn(int shift) {
    return new Answer(
        status,
        cause,
        logged,
        first,
        second,
        pa,
        sizeShift,
        Math.min(shift, sizeShift),
        readable,
        writable,
        executable,
        untranslatedOnly);
  }

  /** An address that stays as it is. */
  static Answer unchanged(long pa) {
    return granted(pa, 64, true, true, true, false);
  }

  static Answer message(long address) {
    return new Answer("message", "", false, 0, 0, address, 12, 12, false, true, false, false);
  }

  @Override
  public String toString() {
    return "%s%s pa 0x%x of 2^%d %s%s%s%s%s"
        .formatted(
            status,
            cause.isEmpty() ? "" : " " + cause,
            pa,
            sizeShift,
            readable ? "R" : "-",
            writable ? "W" : "-",
            executable ? "X" : "-",
            untranslatedOnly ? "U" : "",
            logged ? " event %016x %016x".formatted(first, second) : "");
  }
}
