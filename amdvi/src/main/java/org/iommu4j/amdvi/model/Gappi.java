package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.Irte;
import org.iommu4j.core.dma.InterruptBus;
import org.iommu4j.core.memory.PhysicalMemory;

/**
 * Guest APIC physical processor interrupts, which take the guest virtual APIC log's place while
 * Control.GAPPIEn is set: an interrupt for a guest that does not run (IsRun = 0) is recorded in its
 * backing page as ever, and if it is the only one that is pending there, the processor in the
 * entry's Destination gets an interrupt with the low byte of GATag as its vector. 48882, 2.2.5.
 *
 * <p>The specification lets a unit be wrong about the others that are pending, and interrupt once
 * too often. The interrupt is a fixed, edge-triggered one, as AMD's driver takes it
 * (drivers/iommu/amd/gappi.c of its tree, linux-iommu); inferred: its destination is physical.
 */
final class Gappi {
  /** The interrupt request register in a backing page: words of 32 bits, 16 bytes apart. */
  private static final int REQUESTS = 0x200;

  private static final int WORDS = 8;
  private static final int VECTOR = 0xff;
  private static final int ASSERTED = 1 << 14;

  private Gappi() {}

  /** Whether no interrupt is pending in a backing page. */
  static boolean nonePending(PhysicalMemory memory, long page) {
    for (int n = 0; n < WORDS; n++) {
      long at = page + REQUESTS + 16L * n;
      // Choice: what cannot be read is taken for nothing: one interrupt too many, rather than none.
      // So are registers: a lock is held that what they do may need.
      if (!memory.isDevice(at)
          && memory.status(at, 4, false) == PhysicalMemory.OK
          && memory.readInt(at) != 0) {
        return false;
      }
    }
    return true;
  }

  /** Interrupts the processor that an entry names, as it is now. */
  static void interrupt(Setup s, InterruptBus bus, long first, long second) {
    int destination = s.xt ? Irte.destination(first, second) : Irte.SHORT_DESTINATION.getInt(first);
    int vector = Irte.GA_TAG.getInt(first) & VECTOR;
    bus.deliver(Signals.message(destination, false), vector | ASSERTED);
  }
}
