package org.iommu4j.driver;

/**
 * The first-stage page table of a guest, in the format that the architecture has for processes: the
 * guest builds and changes it in its own memory, the driver never looks at it.
 *
 * @param root guest-physical address of its root, a multiple of 4096
 * @param levels levels of a full walk: on x86 4 or 5, on RISC-V 3, 4 or 5
 */
public record GuestTable(long root, int levels) {}
