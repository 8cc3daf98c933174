package org.iommu4j.core.memory;

/**
 * A page of registers as the bus sees it. Never throws for anything that software can write;
 * accesses that the device does not support read as the device's specification says and are
 * otherwise ignored.
 */
public interface Mmio {
  /**
   * Reads {@code size} bytes at {@code offset}.
   *
   * @param size 1, 2, 4 or 8
   * @return the value, zero-extended
   */
  long read(long offset, int size);

  /** Writes the low {@code size} bytes of {@code value} at {@code offset}. */
  void write(long offset, int size, long value);

  /**
   * Whether these are the registers of a unit that stores to memory by itself. What units store by
   * themselves is refused there: a guest could make two of them write each other's registers, and
   * each would wait for the other.
   */
  default boolean ofUnit() {
    return false;
  }
}
