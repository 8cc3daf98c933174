package org.iommu4j.core.dma;

import org.iommu4j.core.memory.PhysicalMemory;

/**
 * What surrounds a unit: the memory that it reads its tables from, the way to devices, and its
 * wires.
 *
 * @param memory the physical address space
 * @param ats carries ATS and PRI messages to devices
 * @param lines the unit's own interrupt wires
 * @param interrupts takes interrupt messages to processors
 */
public record Host(
    PhysicalMemory memory, AtsFabric ats, InterruptLines lines, InterruptBus interrupts) {
  /** Interrupt messages are written to what lies at their address. */
  public Host(PhysicalMemory memory, AtsFabric ats, InterruptLines lines) {
    this(memory, ats, lines, InterruptBus.in(memory));
  }

  /** Memory only. */
  public static Host of(PhysicalMemory memory) {
    return new Host(memory, AtsFabric.NONE, InterruptLines.NONE);
  }
}
