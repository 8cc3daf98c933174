package org.iommu4j.driver;

import org.iommu4j.core.memory.Mmio;
import org.iommu4j.core.memory.PhysicalMemory;

/**
 * What a driver works with.
 *
 * @param registers the unit's register page
 * @param memory physical memory, as a CPU sees it
 * @param frames where tables and queues are allocated
 * @param messageAddress where the unit may send its own interrupt messages; 0 for wires
 * @param messageData the data of the first message; further vectors count up
 */
public record DriverHost(
    Mmio registers,
    PhysicalMemory memory,
    FrameAllocator frames,
    long messageAddress,
    int messageData) {
  /** Without interrupts: the driver polls in {@link IommuDriver#service}. */
  public static DriverHost polling(Mmio registers, PhysicalMemory memory, FrameAllocator frames) {
    return new DriverHost(registers, memory, frames, 0, 0);
  }
}
