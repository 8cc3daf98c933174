package org.iommu4j.driver;

/**
 * The first stage of a guest: the guest builds and changes it in its own memory, the driver never
 * looks at it. Hardware takes it in one of two forms; {@link Capabilities#guestPasidBits} tells
 * which.
 *
 * <ul>
 *   <li>A page table, in the format that the architecture has for processes. The driver says which
 *       requests of a device go through it, as for any other domain.
 *   <li>A process table, that leads to a page table for each PASID (AMD-Vi: the GCR3 table). The
 *       guest says what each PASID of its devices goes through; PASID 0 of the table is for
 *       requests without PASID.
 * </ul>
 *
 * @param root guest-physical address of its root, a multiple of 4096
 * @param levels levels of a full walk of a page table: on x86 4 or 5, on RISC-V 3, 4 or 5
 * @param pasidBits 0 for a page table; else the table is a process table, with PASIDs of so many
 *     bits
 */
public record GuestTable(long root, int levels, int pasidBits) {
  private static final int MOST = 20;

  /**
   * Checks the bits.
   *
   * @throws IllegalArgumentException if no PASID has so many
   */
  public GuestTable {
    if (pasidBits < 0 || pasidBits > MOST) {
      throw new IllegalArgumentException("a PASID has 1..20 bits, not " + pasidBits);
    }
  }

  /** A page table. */
  public GuestTable(long root, int levels) {
    this(root, levels, 0);
  }
}
