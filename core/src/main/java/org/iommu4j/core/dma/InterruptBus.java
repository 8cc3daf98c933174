package org.iommu4j.core.dma;

import org.iommu4j.core.memory.PhysicalMemory;

/**
 * Carries the interrupt messages of a PC to its processors: what a remapping table makes of a
 * device's message, notifications of posted interrupts, and the units' own messages. Called from
 * within a unit: implementations only latch.
 *
 * <p>A message is a write of 4 bytes: address bits 31:20 are {@code FEEh}, 19:12 are bits 7:0 of
 * the destination APIC id, and bits 63:40 are its bits 31:8 (0 for an APIC id of 8 bits); data bits
 * 7:0 are the vector.
 *
 * <p>Architectures whose messages are ordinary writes to memory (RISC-V, Arm) do not use it.
 */
@FunctionalInterface
public interface InterruptBus {
  /**
   * Delivers a message.
   *
   * @return {@link PhysicalMemory#OK}, or {@link PhysicalMemory#VIOLATION} if nobody takes it
   */
  int deliver(long address, int data);

  /** The address of a message to the processor with this APIC id. */
  static long address(int id) {
    return 0xfee0_0000L | (id & 0xffL) << 12 | (long) (id >>> 8) << 40;
  }

  /** The vector in the data of a message. */
  static int vector(int data) {
    return data & 0xff;
  }

  /** Writes messages to whatever lies at their address. */
  static InterruptBus in(PhysicalMemory memory) {
    return memory::postInt;
  }
}
