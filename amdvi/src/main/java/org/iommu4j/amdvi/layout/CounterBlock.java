package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/**
 * The registers of one performance counter, at 4_0000h + bank * 1000h + counter * 100h. 48882,
 * "Performance Counter Registers".
 *
 * @param counter its value
 * @param source what it counts
 * @param pasid only requests with such a PASID
 * @param domain only such domains
 * @param device only such devices
 * @param report what a wrap to 0 logs
 */
public record CounterBlock(
    Register counter,
    Register source,
    Register pasid,
    Register domain,
    Register device,
    Register report) {
  /** 48 bits. */
  public static final Field COUNTER = bits("counter", 47, 0);

  /** What is counted; 0 nothing. */
  public static final Field C_SOURCE = bits("CSource", 7, 0);

  /** A match is in effect. */
  public static final Field ENABLE = bit("enable", 31);

  public static final Field PASID = bits("PASID match", 19, 0);
  public static final Field PASID_MASK = bits("PASID mask", 51, 32);
  public static final Field DOMAIN = bits("DomainID match", 15, 0);
  public static final Field DOMAIN_MASK = bits("DomainID mask", 47, 32);
  public static final Field DEVICE = bits("DeviceID match", 15, 0);
  public static final Field DEVICE_MASK = bits("DeviceID mask", 47, 32);

  /** Given to software in the event's record. */
  public static final Field EVENT_NOTE = bits("EventNote", 51, 0);

  /** Counter event report enable. */
  public static final Field REPORT_ENABLE = bit("CERE", 63);

  /** The block of a counter of a bank. */
  public CounterBlock(int bank, int counter) {
    this(bank, counter, 0x4_0000 + bank * 0x1000 + counter * 0x100);
  }

  private CounterBlock(int bank, int counter, int at) {
    this(
        register("Counter", bank, counter, at, COUNTER),
        register("Counter Source", bank, counter, at + 0x08, C_SOURCE),
        register("PASID Match", bank, counter, at + 0x10, PASID, ENABLE, PASID_MASK),
        register("Domain Match", bank, counter, at + 0x18, DOMAIN, ENABLE, DOMAIN_MASK),
        register("DeviceID Match", bank, counter, at + 0x20, DEVICE, ENABLE, DEVICE_MASK),
        register("Counter Report", bank, counter, at + 0x28, EVENT_NOTE, REPORT_ENABLE));
  }

  private static Register register(String name, int bank, int n, int at, Field... fields) {
    return Register.of64("%s %d.%d".formatted(name, bank, n), at, fields);
  }
}
