package org.iommu4j.driver.support;

import org.iommu4j.core.bits.Field;

/**
 * An interrupt message of a PC, as processors take it: address {@code FEEx_xxxxh}, the upper bits
 * of the destination in address bits 63:40.
 *
 * @param destination APIC id
 * @param logical destination mode
 * @param hint redirection hint
 * @param vector the vector
 * @param delivery delivery mode; 3 and 6 do not exist
 * @param level trigger mode
 */
public record PcMessage(
    int destination, boolean logical, boolean hint, int vector, int delivery, boolean level) {
  /** First address that messages are written to. */
  public static final long FIRST = 0xfee0_0000L;

  /** Last address that messages are written to. */
  public static final long LAST = 0xfeef_ffffL;

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

  /**
   * Takes a message apart.
   *
   * @throws IllegalArgumentException if it is not one that a processor takes
   */
  public static PcMessage of(long address, int data) {
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
    return new PcMessage(
        DESTINATION.getInt(address) | UPPER.getInt(address) << 8,
        MODE.isSet(address),
        HINT.isSet(address),
        VECTOR.getInt(data),
        delivery,
        TRIGGER.isSet(data));
  }

  /**
   * Refuses what no processor takes.
   *
   * @throws IllegalArgumentException if it is not such a message
   */
  public static void check(long address, int data) {
    of(address, data);
  }

  /**
   * Refuses a processor that a table entry of 8 bits cannot name.
   *
   * @param wide entries have destinations of 32 bits
   * @param setting what would make them so, for the message
   * @throws IllegalArgumentException if the destination does not fit
   */
  public void checkDestination(boolean wide, String setting) {
    if (!wide && destination >>> 8 != 0) {
      throw new IllegalArgumentException(
          "processor 0x%x: this unit reaches those below 0x100 (%s)"
              .formatted(destination, setting));
    }
  }
}
