package org.iommu4j.amdvi.oracle;

/**
 * The registers that a request depends on.
 *
 * @param header of the capability block
 * @param efr Extended Feature
 * @param efr2 Extended Feature 2
 * @param control Control
 * @param exclusionBase Exclusion Base
 * @param exclusionLimit Exclusion Limit
 * @param tables base registers of the device table's segments
 */
public record Machine(
    int header,
    long efr,
    long efr2,
    long control,
    long exclusionBase,
    long exclusionLimit,
    long[] tables) {

  boolean efr(int bit) {
    return (efr >>> bit & 1) != 0;
  }

  private int efr(int hi, int lo) {
    return (int) (efr >>> lo) & (1 << (hi - lo + 1)) - 1;
  }

  boolean control(int bit) {
    return (control >>> bit & 1) != 0;
  }

  // Capability header

  boolean iotlbSup() {
    return (header >>> 24 & 1) != 0;
  }

  // Extended features

  boolean xtSup() {
    return efr(2);
  }

  boolean nxSup() {
    return efr(3);
  }

  boolean gtSup() {
    return efr(4);
  }

  boolean gaSup() {
    return efr(7);
  }

  int hostLevels() {
    return 4 + efr(11, 10);
  }

  int guestLevels() {
    return 4 + efr(13, 12);
  }

  int gcr3Levels() {
    return 1 + efr(15, 14);
  }

  boolean gamSup() {
    return efr(21);
  }

  boolean satsSup() {
    return efr(31);
  }

  int pasidBits() {
    return 1 + efr(36, 32);
  }

  boolean usSup() {
    return efr(37);
  }

  int segmentsSup() {
    return efr(39, 38);
  }

  boolean gioSup() {
    return efr(48);
  }

  boolean haSup() {
    return efr(49);
  }

  boolean hdSup() {
    return efr(52);
  }

  boolean gaUpdateDisSup() {
    return efr(61);
  }

  boolean snpSup() {
    return efr(63);
  }

  /** The system is SNP-enabled: here, if the unit is made for it. */
  boolean snp() {
    return snpSup() && iommuEn();
  }

  boolean gappiDisSup() {
    return (efr2 >>> 4 & 1) != 0;
  }

  boolean htRangeIgnore() {
    return (efr2 >>> 11 & 1) != 0;
  }

  // Control

  boolean iommuEn() {
    return control(0);
  }

  boolean ephEn() {
    return control(45);
  }

  boolean pprEn() {
    return control(15);
  }

  boolean gtEn() {
    return control(16);
  }

  boolean gaEn() {
    return control(17);
  }

  boolean guestModeAllowed() {
    return (control >>> 25 & 7) == 1 && !snp() || control >>> 61 == 1;
  }

  boolean gappiEn() {
    return control(55);
  }

  int segments() {
    return (int) (control >>> 34 & 7);
  }

  boolean manyInterrupts() {
    return (control >>> 43 & 3) == 1;
  }

  boolean noGuestDirty() {
    return control(48);
  }

  boolean xtEn() {
    return control(50);
  }

  boolean gcr3TrpMode() {
    return control(58);
  }

  boolean noGuestAccessed() {
    return control(54);
  }

  /** The same unit with other switches. */
  public Machine with(long newControl) {
    return new Machine(header, efr, efr2, newControl, exclusionBase, exclusionLimit, tables);
  }

  static long page(long pointer) {
    return pointer & 0xf_ffff_ffff_f000L;
  }

  static boolean interruptRange(long address) {
    return address >>> 20 == 0xfee;
  }

  /** FD_0000_0000 to FF_FFFF_FFFF. */
  boolean hyperTransport(long address) {
    long top = address >>> 32;
    return !htRangeIgnore() && top >= 0xfd && top <= 0xff;
  }

  @Override
  public String toString() {
    StringBuilder s = new StringBuilder();
    for (long table : tables) {
      s.append(" 0x").append(Long.toHexString(table));
    }
    return "header 0x%x efr 0x%x efr2 0x%x control 0x%x exclusion 0x%x..0x%x tables%s"
        .formatted(header, efr, efr2, control, exclusionBase, exclusionLimit, s);
  }
}
