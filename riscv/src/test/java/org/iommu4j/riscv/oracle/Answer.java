package org.iommu4j.riscv.oracle;

/**
 * What a request comes to.
 *
 * @param status "success", "ur" or "ca"
 * @param cause 0, or the cause found, whether or not it is an error for this kind of request
 * @param iotval2 the second address of the record
 * @param logged whether the fault queue gets a record
 * @param pa the answer's address, offset included
 * @param sizeShift log2 of the largest range that the answer may claim; 64 if anything
 * @param readable R of both stages
 * @param writable W of both stages, D aside
 * @param dirty D of both stages as the walk found it
 * @param executable X of both stages
 * @param pbmt resolved memory type
 * @param global first-stage G
 * @param msi an MSI PTE supplied the translation
 * @param mrif it is in MRIF mode
 * @param mrifAddress destination
 * @param notice address of the notice
 * @param nid data of the notice
 * @param gpa address between the stages
 * @param t2gpa the answer of a translation request is that address
 * @param msiMask of the device, for ranges that must not cover interrupt files; -1 if none
 * @param msiPattern of the device
 */
public record Answer(
    String status,
    int cause,
    long iotval2,
    boolean logged,
    long pa,
    int sizeShift,
    boolean readable,
    boolean writable,
    boolean dirty,
    boolean executable,
    int pbmt,
    boolean global,
    boolean msi,
    boolean mrif,
    long mrifAddress,
    long notice,
    int nid,
    long gpa,
    boolean t2gpa,
    long msiMask,
    long msiPattern) {

  static Answer refused(String status, int cause, long iotval2, boolean logged) {
    return new Answer(
        status, cause, iotval2, logged, 0, 64, false, false, false, false, 0, false, false, false,
        0, 0, 0, 0, false, -1, 0);
  }
}
