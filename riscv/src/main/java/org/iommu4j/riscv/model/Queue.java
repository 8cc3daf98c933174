package org.iommu4j.riscv.model;

import org.iommu4j.riscv.layout.Registers;

/**
 * Where the entries of a queue are. §3.5 to §3.7 of chapter "In-memory queue interface".
 *
 * @param base physical address of entry 0
 * @param mask number of entries, a power of two, minus 1
 * @param bytes bytes of an entry
 */
record Queue(long base, long mask, int bytes) {
  static Queue of(long baseRegister, int bytes) {
    return new Queue(Registers.QUEUE_PPN.get(baseRegister) << 12, mask(baseRegister), bytes);
  }

  /** Entries minus 1. */
  static long mask(long baseRegister) {
    return (2L << Registers.LOG2SZ_1.getInt(baseRegister)) - 1;
  }

  /** Choice: of a base that is not aligned to the size, base and offset are ORed. */
  long address(long index) {
    return base | index * bytes;
  }

  long next(long index) {
    return (index + 1) & mask;
  }
}
