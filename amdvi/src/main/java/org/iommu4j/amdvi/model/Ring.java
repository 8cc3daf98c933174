package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Register;

/**
 * Where a log or buffer lies: base, head and tail register, and pointer registers.
 *
 * @param base its base register
 * @param head its head pointer register
 * @param tail its tail pointer register
 */
record Ring(Register base, Register head, Register tail) {
  static final Ring COMMANDS =
      new Ring(Registers.COMMAND_BUFFER, Registers.COMMAND_HEAD, Registers.COMMAND_TAIL);
  static final Ring EVENTS =
      new Ring(Registers.EVENT_LOG, Registers.EVENT_HEAD, Registers.EVENT_TAIL);
  static final Ring EVENTS_B =
      new Ring(Registers.EVENT_LOG_B, Registers.EVENT_B_HEAD, Registers.EVENT_B_TAIL);
  static final Ring PPR = new Ring(Registers.PPR_LOG, Registers.PPR_HEAD, Registers.PPR_TAIL);
  static final Ring PPR_B =
      new Ring(Registers.PPR_LOG_B, Registers.PPR_B_HEAD, Registers.PPR_B_TAIL);
  static final Ring GA = new Ring(Registers.GA_LOG, Registers.GA_HEAD, Registers.GA_TAIL);

  /** The shortest length that there is: 256 entries. */
  private static final int SHORTEST = 8;

  /** Whether a base register holds a length that there is. */
  static boolean valid(long base) {
    return Registers.RING_LEN.get(base) >= SHORTEST;
  }

  /** Bytes of the ring. */
  static long bytes(long base) {
    return 1L << (Registers.RING_LEN.getInt(base) + 4);
  }

  static long address(long base, long pointer) {
    return Registers.RING_BASE.in(base) + pointer;
  }
}
