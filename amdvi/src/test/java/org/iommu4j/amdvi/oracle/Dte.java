package org.iommu4j.amdvi.oracle;

/** A device table entry and where it is found. */
record Dte(long q0, long q1, long q2, long q3) {
  /** Where the entry of a device is; -1 if it is beyond the table. */
  static long find(Machine m, int device) {
    int segments = m.segments();
    int bits = 16 - segments;
    int segment = device >>> bits;
    int index = device & (1 << bits) - 1;
    long base = m.tables()[segment];
    int size = (int) base & (segment == 0 ? 0x1ff : 0xff);
    return index < (size + 1) * 128 ? Machine.page(base) + 32L * index : -1;
  }

  static Dte read(Image image, long at) {
    return new Dte(image.load(at), image.load(at + 8), image.load(at + 16), image.load(at + 24));
  }

  private static boolean bit(long word, int at) {
    return (word >>> at & 1) != 0;
  }

  private static int bits(long word, int hi, int lo) {
    return (int) (word >>> lo & (1L << (hi - lo + 1)) - 1);
  }

  // Word 0

  boolean v() {
    return bit(q0, 0);
  }

  boolean tv() {
    return bit(q0, 1);
  }

  int had() {
    return bits(q0, 8, 7);
  }

  int mode() {
    return bits(q0, 11, 9);
  }

  long root() {
    return Machine.page(q0);
  }

  boolean ppr() {
    return bit(q0, 52);
  }

  boolean gprp() {
    return bit(q0, 53);
  }

  boolean giov() {
    return bit(q0, 54);
  }

  boolean gv() {
    return bit(q0, 55);
  }

  int glx() {
    return bits(q0, 57, 56);
  }

  boolean ir() {
    return bit(q0, 61);
  }

  boolean iw() {
    return bit(q0, 62);
  }

  // Word 1

  int domain() {
    return bits(q1, 15, 0);
  }

  boolean i() {
    return bit(q1, 32);
  }

  boolean se() {
    return bit(q1, 33);
  }

  boolean sa() {
    return bit(q1, 34);
  }

  int ioCtl() {
    return bits(q1, 36, 35);
  }

  boolean ex() {
    return bit(q1, 39);
  }

  int sysMgt() {
    return bits(q1, 41, 40);
  }

  long gcr3() {
    return (long) bits(q0, 60, 58) << 12
        | (long) bits(q1, 31, 16) << 15
        | (long) bits(q1, 63, 43) << 31;
  }

  // Word 2

  boolean iv() {
    return bit(q2, 0);
  }

  int intTabLen() {
    return bits(q2, 4, 1);
  }

  boolean ig() {
    return bit(q2, 5);
  }

  long intTab() {
    return q2 & 0xf_ffff_ffff_ffc0L;
  }

  int guestPagingMode() {
    return bits(q2, 55, 54);
  }

  boolean initPass() {
    return bit(q2, 56);
  }

  boolean eintPass() {
    return bit(q2, 57);
  }

  boolean nmiPass() {
    return bit(q2, 58);
  }

  int intCtl() {
    return bits(q2, 61, 60);
  }

  // Checks

  /** Words 0 and 1: bits without a meaning, or with one that the unit does not have. */
  boolean reserved(Machine m) {
    long bits0 = 1L << 63 | 0xcL;
    bits0 |= m.efr(47) ? 0 : 0x70;
    bits0 |= m.haSup() ? 0 : 0x180;
    bits0 |= m.hdSup() ? 0 : 0x100;
    bits0 |= m.ephEn() ? 0 : 0x30_0000_0000_0000L;
    bits0 |= m.gtSup() ? 0 : 0x1f80_0000_0000_0000L;
    bits0 |= m.gioSup() ? 0 : 1L << 54;
    long bits1 = m.satsSup() ? 0 : 1L << 42;
    boolean tables =
        gv()
            && m.gtEn()
            && (glx() >= m.gcr3Levels() || 4 + guestPagingMode() > Math.min(5, m.guestLevels()));
    return (q0 & bits0) != 0 || (q1 & bits1) != 0 || had() == 2 || tables;
  }

  /** Words 2 and 3. */
  boolean interruptReserved(Machine m) {
    long bits2 = m.gtSup() ? 0x30_0000_0000_0000L : 0xf0_0000_0000_0000L;
    long bits3 = 0x1f_0000_0000_7fffL | (m.efr(55) ? 0 : 0x8000);
    return (q2 & bits2) != 0 || (q3 & bits3) != 0;
  }
}
