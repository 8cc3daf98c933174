package org.iommu4j.conformance.capture;

import org.iommu4j.conformance.Interrupt;
import org.iommu4j.machine.capture.StrictObject;

/**
 * One line of {@code msi.jsonl}: a message that was remapped and delivered while the machine ran.
 *
 * @param source requester id, or {@link #UNKNOWN}
 * @param address what was written to
 * @param data what was written
 * @param delivered what a processor received
 * @param holds whether the tables at the stop have to say the same
 * @param origin how it is known
 */
record MessageExpectation(
    int source, long address, int data, Interrupt delivered, boolean holds, String origin) {
  /** The format of messages that no table entry stands for. */
  private static final String COMPATIBILITY = "compatibility";

  /** The line does not tell who sent the message. */
  static final int UNKNOWN = -1;

  static MessageExpectation read(StrictObject line) {
    long address = line.number("addr");
    int data = (int) line.number("data");
    line.number("out_addr"); // as QEMU writes it: vector and dest are what counts of it
    line.number("out_data");
    Interrupt delivered =
        new Interrupt(
            line.integer("dest", 0, Integer.MAX_VALUE),
            line.integer("vector", 0, 255),
            Interrupt.ANY);
    // A table for each device has no entry that could tell which device it was.
    boolean perDevice = !line.has("format");
    boolean entry =
        !perDevice && line.choice("format", "remappable", COMPATIBILITY).equals("remappable");
    int source = perDevice ? UNKNOWN : 0;
    boolean valid = perDevice;
    if (entry) {
      line.integer("index", 0, 0xffff);
      StrictObject irte = line.object("irte_at_stop");
      irte.number("lo");
      source = source(irte.number("hi"));
      irte.finish();
      valid = line.flag("still_valid");
    }
    String origin = line.text("src");
    line.finish();
    return new MessageExpectation(source, address, data, delivered, valid, origin);
  }

  /**
   * The requester, which QEMU does not trace: the one that the entry admits. SID is the source id,
   * or with SVT = 10b a range of bus numbers with the first in bits 15:8 (VT-d §9.10).
   */
  private static int source(long high) {
    int sid = (int) high & 0xffff;
    return (high >>> 18 & 3) == 2 ? sid & 0xff00 : sid;
  }
}
