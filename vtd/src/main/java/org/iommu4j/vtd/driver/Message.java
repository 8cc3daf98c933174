package org.iommu4j.vtd.driver;

import org.iommu4j.core.bits.Field;
import org.iommu4j.vtd.layout.Irte;

/**
 * An interrupt message of a PC, as processors take it: address {@code FEEx_xxxxh}, the upper bits
 * of the destination in address bits 63:40.
 */
final class Message {
  /** Where messages are written to. */
  static final long FIRST = 0xfee0_0000L;

  static final long LAST = 0xfeef_ffffL;

  private static final Field MODE = Field.bit("destination mode", 2);
  private static final Field HINT = Field.bit("redirection hint", 3);
  private static final Field REMAPPABLE = Field.bit("interrupt format", 4);
  private static final Field DESTINATION = Field.bits("destination 7:0", 19, 12);
  private static final Field PREFIX = Field.bits("FEEh", 31, 20);
  private static final Field GAP = Field.bits("reserved", 39, 32);
  private static final Field UPPER = Field.bits("destination 31:8", 63, 40);

  private static final Field VECTOR = Field.bits("vector", 7, 0);
  private static final Field DELIVERY = Field.bits("delivery mode", 10, 8);
  private static final Field TRIGGER = Field.bit("trigger mode", 15);
  private static final int PREFIX_VALUE = 0xfee;
  private static final int RESERVED_3 = 3;
  private static final int RESERVED_6 = 6;

  private Message() {}

  /**
   * Checks a message.
   *
   * @throws IllegalArgumentException if it is not one that a processor takes
   */
  static void check(long address, int data) {
    int delivery = DELIVERY.getInt(data);
    if (PREFIX.get(address) != PREFIX_VALUE
        || GAP.isSet(address)
        || REMAPPABLE.isSet(address)
        || (address & 3) != 0) {
      throw new IllegalArgumentException(
          "0x%x is no address of an interrupt message: FEEx_xxxxh, the destination's bits 31:8 in"
                  .formatted(address)
              + " bits 63:40, bits 4, 1 and 0 clear");
    }
    if (delivery == RESERVED_3 || delivery == RESERVED_6) {
      throw new IllegalArgumentException(
          "0x%x is no data of an interrupt message: delivery mode %d is reserved"
              .formatted(data, delivery));
    }
  }

  /**
   * The first word of a remapping entry that makes this message.
   *
   * @param wide entries have destinations of 32 bits
   * @throws IllegalArgumentException if it is no message, or its destination does not fit
   */
  static long entry(long address, int data, boolean wide) {
    check(address, data);
    long destination = DESTINATION.get(address) | UPPER.get(address) << 8;
    if (!wide && destination >>> 8 != 0) {
      throw new IllegalArgumentException(
          "processor 0x%x: this unit reaches those below 0x100 (IRTA_REG.EIME is 0)"
              .formatted(destination));
    }
    return Irte.P.mask()
        | Irte.DM.of(MODE.get(address))
        | Irte.RH.of(HINT.get(address))
        | Irte.TM.of(TRIGGER.get(data))
        | Irte.DLM.of(DELIVERY.get(data))
        | Irte.V.of(VECTOR.get(data))
        | (wide ? Irte.DST.of(destination) : Irte.XAPIC_DST.of(destination));
  }

  /** The address that leads to a remapping entry, without sub-handle. */
  static long handle(int index) {
    return FIRST | (long) (index & 0x7fff) << 5 | REMAPPABLE.mask() | (long) (index >>> 15) << 2;
  }
}
