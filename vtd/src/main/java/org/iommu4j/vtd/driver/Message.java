package org.iommu4j.vtd.driver;

import org.iommu4j.driver.support.PcMessage;
import org.iommu4j.vtd.layout.Irte;

/** What a message of a PC is in a remapping entry, and what leads to that entry. §5.1. */
final class Message {
  private static final long REMAPPABLE = 1 << 4;

  private Message() {}

  /**
   * The first word of a remapping entry that makes this message.
   *
   * @param wide entries have destinations of 32 bits
   * @throws IllegalArgumentException if it is no message, or its destination does not fit
   */
  static long entry(long address, int data, boolean wide) {
    PcMessage m = PcMessage.of(address, data);
    m.checkDestination(wide, "IRTA_REG.EIME is 0");
    return Irte.P.mask()
        | Irte.DM.of(m.logical() ? 1 : 0)
        | Irte.RH.of(m.hint() ? 1 : 0)
        | Irte.TM.of(m.level() ? 1 : 0)
        | Irte.DLM.of(m.delivery())
        | Irte.V.of(m.vector())
        | (wide ? Irte.DST.of(m.destination()) : Irte.XAPIC_DST.of(m.destination()));
  }

  /** The address that leads to a remapping entry, without sub-handle. */
  static long handle(int index) {
    return PcMessage.FIRST | (long) (index & 0x7fff) << 5 | REMAPPABLE | (long) (index >>> 15) << 2;
  }
}
