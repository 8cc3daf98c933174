package org.iommu4j.vtd.oracle;

/**
 * The registers and parameters that a request depends on.
 *
 * @param major version
 * @param cap CAP_REG
 * @param ecap ECAP_REG
 * @param haw host address width in bits
 * @param tes translation is enabled
 * @param rtaddr RTADDR_REG as it was latched
 * @param ires interrupt remapping is enabled
 * @param cfis compatibility format interrupts pass
 * @param irta IRTA_REG as it was latched
 */
public record Machine(
    int major,
    long cap,
    long ecap,
    int haw,
    boolean tes,
    long rtaddr,
    boolean ires,
    boolean cfis,
    long irta) {

  boolean cap(int bit) {
    return (cap >>> bit & 1) != 0;
  }

  boolean ecap(int bit) {
    return (ecap >>> bit & 1) != 0;
  }

  // CAP_REG

  int domainBits() {
    return 4 + 2 * (int) (cap & 7);
  }

  boolean sagaw(int bit) {
    return bit >= 0 && bit < 5 && cap(8 + bit);
  }

  /** The widest AW code, -1 if there is none. */
  int widest() {
    for (int bit = 3; bit >= 1; bit--) {
      if (sagaw(bit)) {
        return bit;
      }
    }
    return -1;
  }

  int mgaw() {
    return (int) (cap >>> 16 & 0x3f) + 1;
  }

  boolean zlr() {
    return cap(22);
  }

  boolean second2m() {
    return cap(34);
  }

  boolean second1g() {
    return cap(35);
  }

  boolean first1g() {
    return cap(56);
  }

  boolean pi() {
    return cap(59);
  }

  boolean fs5lp() {
    return cap(60);
  }

  // ECAP_REG

  boolean dt() {
    return ecap(2);
  }

  boolean pt() {
    return ecap(6);
  }

  boolean sc() {
    return ecap(7);
  }

  boolean mts() {
    return ecap(25);
  }

  boolean nest() {
    return ecap(26);
  }

  boolean prs() {
    return ecap(29);
  }

  boolean ers() {
    return ecap(30);
  }

  boolean srs() {
    return ecap(31);
  }

  boolean nwfs() {
    return ecap(33);
  }

  boolean eafs() {
    return ecap(34);
  }

  int pasidBits() {
    return (int) (ecap >>> 35 & 0x1f) + 1;
  }

  boolean pasid() {
    return ecap(40);
  }

  boolean smts() {
    return ecap(43);
  }

  boolean ssads() {
    return ecap(45);
  }

  boolean ssts() {
    return ecap(46);
  }

  boolean fsts() {
    return ecap(47);
  }

  boolean smpwcs() {
    return ecap(48);
  }

  boolean rps() {
    return ecap(49);
  }

  boolean adms() {
    return ecap(52);
  }

  boolean rprivs() {
    return ecap(53);
  }

  boolean hpts() {
    return ecap(55);
  }

  boolean ptrs() {
    return ecap(56);
  }

  boolean hpt1g() {
    return ecap(59);
  }

  boolean eimer() {
    return ecap(61);
  }

  boolean irreq() {
    return ecap(62);
  }

  // RTADDR_REG

  int ttm() {
    return (int) (rtaddr >>> 10 & 3);
  }

  boolean ssirwe() {
    return (rtaddr >>> 7 & 1) != 0;
  }

  long root() {
    return page(rtaddr);
  }

  // IRTA_REG

  boolean eime() {
    return (irta >>> 11 & 1) != 0;
  }

  int entries() {
    return 2 << (irta & 0xf);
  }

  /** Whether a pointer names a page that no host address can. */
  boolean aboveHost(long pointer) {
    return page(pointer) >>> haw != 0;
  }

  static long page(long pointer) {
    return pointer & ~0xfffL;
  }

  static boolean interruptRange(long address) {
    return address >>> 20 == 0xfee;
  }

  /** Another state of the same unit. */
  public Machine with(boolean newTes, long newRtaddr) {
    return new Machine(major, cap, ecap, haw, newTes, newRtaddr, ires, cfis, irta);
  }

  /** Another state of the same unit. */
  public Machine with(boolean newIres, boolean newCfis, long newIrta) {
    return new Machine(major, cap, ecap, haw, tes, rtaddr, newIres, newCfis, newIrta);
  }

  @Override
  public String toString() {
    return "version %d cap 0x%x ecap 0x%x haw %d tes %b rtaddr 0x%x ires %b cfis %b irta 0x%x"
        .formatted(major, cap, ecap, haw, tes, rtaddr, ires, cfis, irta);
  }
}
