package org.iommu4j.riscv.model;

import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Cause;

/** What a device's write to an MRIF page does: the IO bridge's part. AIA §9.5.2 and §9.3. */
final class MrifWriter {
  /** Recorded, and the notice was sent. */
  static final int RECORDED = 0;

  /** Accepted without effect. */
  static final int DISCARDED = -1;

  /** The kind of access is not supported there. */
  static final int UNSUPPORTED = -2;

  private MrifWriter() {}

  /**
   * Records an interrupt.
   *
   * @param offset the page offset of the write
   * @param data as the device sent it, little-endian
   * @param mrif address of the interrupt file
   * @return RECORDED, DISCARDED, UNSUPPORTED, or the cause of a fault
   */
  static int write(Setup s, int offset, int length, long data, long mrif) {
    if (length != 4 || (offset & 3) != 0) {
      return UNSUPPORTED;
    }
    boolean bigEndian = (offset & 4) != 0;
    int identity = bigEndian ? Integer.reverseBytes((int) data) : (int) data;
    if ((offset & 0xff8) != 0
        || (identity & ~0x7ff) != 0
        || (bigEndian && !s.config.bigEndianMsi())) {
      return DISCARDED;
    }
    long pending = mrif + (identity >>> 6 << 4);
    if ((pending & s.beyond) != 0) {
      return Cause.MRIF_ACCESS_FAULT.code();
    }
    int read = s.memory.status(pending, 8, false);
    if (read == PhysicalMemory.POISONED) {
      return Cause.MRIF_DATA_CORRUPTION.code();
    }
    if (read != PhysicalMemory.OK
        || s.memory.status(pending, 8, true) != PhysicalMemory.OK
        || s.memory.isDevice(pending)) {
      return Cause.MRIF_ACCESS_FAULT.code();
    }
    long bit = 1L << (identity & 63);
    if (!Capabilities.AMO_MRIF.isSet(s.config.capabilities())) {
      // Without AMO_MRIF the update is a load and a store, and may lose a concurrent one.
      s.memory.writeLong(pending, s.memory.readLong(pending) | bit);
      return RECORDED;
    }
    long seen = s.memory.readLong(pending);
    while (true) {
      long was = s.memory.compareAndExchangeLong(pending, seen, seen | bit);
      if (was == seen) {
        return RECORDED;
      }
      seen = was;
    }
  }
}
