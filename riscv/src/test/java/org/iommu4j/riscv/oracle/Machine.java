package org.iommu4j.riscv.oracle;

/**
 * The registers and parameters that a translation depends on.
 *
 * @param capabilities the register
 * @param be fctl.BE
 * @param gxl fctl.GXL
 * @param beWritable software can change BE
 * @param gxlWritable software can change GXL
 * @param mode ddtp.iommu_mode
 * @param root ddtp.PPN as an address
 */
public record Machine(
    long capabilities,
    boolean be,
    boolean gxl,
    boolean beWritable,
    boolean gxlWritable,
    int mode,
    long root) {

  boolean cap(int bit) {
    return (capabilities >>> bit & 1) != 0;
  }

  boolean sv32() {
    return cap(8);
  }

  boolean svrsw60t59b() {
    return cap(14);
  }

  boolean svpbmt() {
    return cap(15);
  }

  boolean msiFlat() {
    return cap(22);
  }

  boolean msiMrif() {
    return cap(23);
  }

  boolean amoHwad() {
    return cap(24);
  }

  boolean ats() {
    return cap(25);
  }

  boolean t2gpa() {
    return cap(26);
  }

  boolean end() {
    return cap(27);
  }

  boolean qosid() {
    return cap(41);
  }

  int physicalBits() {
    return (int) (capabilities >>> 32 & 0x3f);
  }

  /** Widest guest-physical address, which bounds what MSI matching looks at. */
  int guestBits() {
    return cap(19) ? 59 : cap(18) ? 50 : cap(17) ? 41 : cap(16) ? 34 : physicalBits();
  }

  Machine with(int newMode, long newRoot) {
    return new Machine(capabilities, be, gxl, beWritable, gxlWritable, newMode, newRoot);
  }
}
