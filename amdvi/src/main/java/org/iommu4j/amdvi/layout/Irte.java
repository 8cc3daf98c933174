package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.Kind.IGNORED;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;
import static org.iommu4j.core.bits.Field.reserved;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Layout;

/**
 * Interrupt remapping table entries: 4 bytes, or 16 with Control.GAEn = 1. 48882, "Interrupt
 * Remapping Tables".
 */
public final class Irte {
  /** Bytes of an entry without GAEn. */
  public static final int SHORT_BYTES = 4;

  /** Bytes of an entry with GAEn. */
  public static final int LONG_BYTES = 16;

  // All formats.
  /** Remapping is on. */
  public static final Field REMAP_EN = bit("RemapEn", 0);

  /** I/O page faults are suppressed. */
  public static final Field SUP_IOPF = bit("SupIOPF", 1);

  /** 0 fixed, 1 arbitrated. */
  public static final Field INT_TYPE = bits("IntType", 4, 2);

  /** Request EOI: level triggered. */
  public static final Field RQ_EOI = bit("RqEoi", 5);

  /** Destination mode: 1 logical. */
  public static final Field DM = bit("DM", 6);

  public static final Field GUEST_MODE = bit("GuestMode", 7);

  // 4 bytes.
  public static final Field SHORT_DESTINATION = bits("Destination", 15, 8);
  public static final Field SHORT_VECTOR = bits("Vector", 23, 16);

  // 16 bytes: first word.
  public static final Field DESTINATION_LOW = bits("Destination 23:0", 31, 8);

  /**
   * Kept by software, and given to it in the guest virtual APIC log. With Control.GAPPIEn its low
   * byte is the vector of the physical processor's interrupt.
   */
  public static final Field GA_TAG = bits("GATag", 63, 32);

  // 16 bytes: second word.
  public static final Field VECTOR = bits("Vector", 7, 0);
  public static final Field DESTINATION_HIGH = bits("Destination 31:24", 63, 56);

  // Guest mode.
  /** Log interrupts while the guest does not run. */
  public static final Field GA_LOG_INTR = bit("GALogIntr", 2);

  /** While the guest does not run, no processor is interrupted; with EFR2.GAPPIDisSup. */
  public static final Field GAPPI_DIS = bit("GAPPIDis", 5);

  /** The guest runs. */
  public static final Field IS_RUN = bit("IsRun", 6);

  /** The guest's virtual APIC backing page. Second word. */
  public static final Field GA_ROOT = bits("Guest vAPIC Table Root Pointer", 51, 12);

  public static final Layout SHORT =
      Layout.of(
          "interrupt remapping table entry",
          "48882, Interrupt Remapping Tables",
          REMAP_EN,
          SUP_IOPF,
          INT_TYPE,
          RQ_EOI,
          DM,
          GUEST_MODE,
          SHORT_DESTINATION,
          SHORT_VECTOR,
          reserved(31, 24));

  public static final Layout LONG =
      Layout.of(
              "interrupt remapping table entry, 128 bits",
              "48882, Interrupt Remapping Tables",
              REMAP_EN,
              SUP_IOPF,
              INT_TYPE,
              RQ_EOI,
              DM,
              GUEST_MODE,
              DESTINATION_LOW,
              GA_TAG.as(IGNORED))
          .then(VECTOR, reserved(55, 8), DESTINATION_HIGH);

  public static final Layout GUEST =
      Layout.of(
              "interrupt remapping table entry, guest mode",
              "48882, Guest Virtual APIC",
              REMAP_EN,
              SUP_IOPF,
              GA_LOG_INTR,
              reserved(4, 3),
              GAPPI_DIS,
              IS_RUN,
              GUEST_MODE,
              DESTINATION_LOW,
              GA_TAG)
          .then(VECTOR, reserved(11, 8), GA_ROOT, reserved(55, 52), DESTINATION_HIGH);

  private Irte() {}

  /** The destination of a 16-byte entry, all 32 bits. */
  public static int destination(long first, long second) {
    return DESTINATION_LOW.getInt(first) | DESTINATION_HIGH.getInt(second) << 24;
  }
}
