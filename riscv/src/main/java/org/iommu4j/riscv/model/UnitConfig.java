package org.iommu4j.riscv.model;

import java.util.List;
import java.util.stream.Stream;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.CacheSettings;
import org.iommu4j.core.Options;
import org.iommu4j.core.bits.Field;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Registers;

/**
 * What a unit is built like: its capabilities and the parameters that the specification leaves to
 * the implementation.
 *
 * @param capabilities value of the capabilities register
 * @param fctl reset value of fctl
 * @param beWritable software can change fctl.BE
 * @param wsiWritable software can change fctl.WSI
 * @param gxlWritable software can change fctl.GXL
 * @param resetMode ddtp.iommu_mode after reset: Off or Bare
 * @param maxMode the deepest directory mode
 * @param vectorBits writable bits of each icvec field; 2^n vectors
 * @param counters event counters, if capabilities.HPM
 * @param counterBits width of the counters
 * @param eventLimit largest eventID that a selector holds
 * @param qosidMask implemented bits of iommu_qosid
 * @param bareShift log2 of the range that a Bare stage reports
 * @param itags Invalidation Requests that can be outstanding, 1..32
 * @param bigEndianMsi incoming MSIs with address bit 2 set are honoured
 * @param atsWriteAfterUpdate an ATS completion grants W although the same request had to set D
 * @param caches how it caches
 */
record UnitConfig(
    long capabilities,
    int fctl,
    boolean beWritable,
    boolean wsiWritable,
    boolean gxlWritable,
    int resetMode,
    int maxMode,
    int vectorBits,
    int counters,
    int counterBits,
    int eventLimit,
    int qosidMask,
    int bareShift,
    int itags,
    boolean bigEndianMsi,
    boolean atsWriteAfterUpdate,
    CacheSettings caches) {

  /**
   * Everything that version 1.0 has: all modes, ATS, PRI, T2GPA, both endiannesses and interrupt
   * kinds, HPM, debug, PAS 56, all PDT widths, QOSID, NL, S.
   */
  static final long ALL_CAPABILITIES = 0xff8_efef_cf10L;

  private static final List<Option> OWN_OPTIONS =
      List.of(
          new Option("capabilities", "number", "0xff8efefcf10", "value of the register"),
          new Option("fctl", "number", "0", "reset value of fctl"),
          new Option("fctl_writable.be", "flag", "capabilities.END", "BE can be changed"),
          new Option("fctl_writable.wsi", "flag", "capabilities.IGS = 2", "WSI can be changed"),
          new Option("fctl_writable.gxl", "flag", "capabilities.Sv32x4", "GXL can be changed"),
          new Option("reset_iommu_mode", "0..1", "0", "mode after reset: 0 Off, 1 Bare"),
          new Option("max_iommu_mode", "2..4", "4", "deepest directory: 2 1LVL, 3 2LVL, 4 3LVL"),
          new Option("vector_bits", "0..4", "4", "2^n interrupt vectors"),
          new Option("event_counters", "0..31", "31", "event counters, if HPM"),
          new Option("counter_bits", "32..64", "64", "width of the event counters"),
          new Option("event_id_limit", "0..32767", "8", "largest event id that sticks"),
          new Option("qosid_mask", "number", "0x0fff0fff", "implemented bits of iommu_qosid"),
          new Option("bare_range", "bytes", "0x40000000", "range that a Bare stage reports"),
          new Option("itags", "1..32", "32", "outstanding invalidation requests"),
          new Option("big_endian_msi", "flag", "false", "MSIs at address bit 2 are honoured"),
          new Option(
              "ats_write_after_update", "flag", "false", "ATS grants W when it has just set D"));

  static final List<Option> OPTIONS =
      Stream.concat(OWN_OPTIONS.stream(), CacheSettings.OPTIONS.stream()).toList();

  static UnitConfig of(Options o) {
    long caps = o.number("capabilities", ALL_CAPABILITIES);
    int igs = Capabilities.IGS.getInt(caps);
    if (igs == 3) {
      throw invalid("capabilities", "IGS = 3 is reserved");
    }
    int pas = Capabilities.PAS.getInt(caps);
    if (pas < 32 || pas > 56) {
      throw invalid("capabilities", "PAS = " + pas + " is not within 32..56");
    }
    int fctl = (int) o.number("fctl", igs == Capabilities.IGS_WSI ? Registers.WSI.mask() : 0);
    int resetMode = o.integer("reset_iommu_mode", Registers.MODE_OFF, 0, 1);
    int maxMode = o.integer("max_iommu_mode", Registers.MODE_3LVL, 2, 4);
    // Choice: without HPM there are no counters, whatever the option says.
    boolean hpm = Capabilities.HPM.isSet(caps);
    int counters = o.integer("event_counters", hpm ? 31 : 0, 0, 31);
    int counterBits = o.integer("counter_bits", 64, 0, 64);
    long range = o.number("bare_range", 1L << 30);
    if (Long.bitCount(range) != 1 || range < 4096) {
      throw invalid("bare_range", "0x%x is not a power of two from 4096".formatted(range));
    }
    // What the reference model needs to know and this model derives from ddtp.iommu_mode.
    o.ignore("max_devid_mask");
    UnitConfig config =
        new UnitConfig(
            caps,
            fctl,
            o.flag("fctl_writable.be", Capabilities.END.isSet(caps)),
            o.flag("fctl_writable.wsi", igs == Capabilities.IGS_BOTH),
            o.flag("fctl_writable.gxl", Capabilities.SV32X4.isSet(caps)),
            resetMode,
            maxMode,
            o.integer("vector_bits", 4, 0, 4),
            hpm ? counters : 0,
            counterBits == 0 ? 64 : counterBits,
            o.integer("event_id_limit", 8, 0, 0x7fff),
            (int) o.number("qosid_mask", 0x0fff_0fff),
            Long.numberOfTrailingZeros(range),
            o.integer("itags", 32, 1, 32),
            o.flag("big_endian_msi", false),
            o.flag("ats_write_after_update", false),
            CacheSettings.of(o));
    o.finish(OPTIONS.stream().map(Option::name).toList());
    return config;
  }

  private static Options.InvalidOption invalid(String name, String message) {
    return new Options.InvalidOption(name, message);
  }

  boolean has(Field capability) {
    return capability.isSet(capabilities);
  }
}
