package org.iommu4j.amdvi.driver;

import java.util.List;
import java.util.Map;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.Options;
import org.iommu4j.driver.support.SourceRanges;

/**
 * How the driver is to use a unit.
 *
 * @param tables which tables translate
 * @param levels depth of the page tables
 * @param pageSizes the page sizes to use, of those that there are
 * @param pasidBits bits of a PASID, of those that there are
 * @param ats devices may keep translations in caches of their own, and are believed what they say
 * @param pri devices may ask for pages
 * @param absentCached what is not present may be cached (NpCache)
 * @param remapInterrupts use interrupt remapping tables
 * @param wideApicIds processors may have ids of 32 bits
 * @param interrupts entries of each device's table
 * @param flushLimit commands for one change, beyond which everything is invalidated
 * @param timeoutMillis how long the unit may take for anything
 * @param directRegions by source, what firmware reserved for it (IVMD)
 * @param deviceSettings by source, the data setting of its IVHD device entry
 */
record Settings(
    Tables tables,
    int levels,
    long pageSizes,
    int pasidBits,
    boolean ats,
    boolean pri,
    boolean absentCached,
    boolean remapInterrupts,
    boolean wideApicIds,
    int interrupts,
    int flushLimit,
    int timeoutMillis,
    Map<Integer, List<SourceRanges.Range>> directRegions,
    Map<Integer, Integer> deviceSettings) {

  enum Tables {
    AUTO,
    HOST,
    GUEST
  }

  static final List<Option> OPTIONS =
      List.of(
          new Option(
              "tables",
              "auto|host|guest",
              "auto",
              "which tables translate: guest (v2) tables where PASIDs can be had, else host (v1)"),
          new Option("levels", "3..5", "4", "depth of the page tables"),
          new Option("page_sizes", "number", "all", "bit n: use pages of 2^n bytes"),
          new Option("pasid_bits", "0..20", "20", "bits of a PASID, if the unit has so many"),
          new Option(
              "ats",
              "flag",
              "false",
              "devices may cache translations, and are trusted with that (IotlbSup)"),
          new Option("pri", "flag", "false", "devices may ask for pages; needs ats"),
          new Option("np_cache", "flag", "false", "the unit caches what is not present (NpCache)"),
          new Option(
              "interrupt_remapping", "flag", "true", "remap interrupt messages where possible"),
          new Option("x2apic", "flag", "true", "processor ids of 32 bits where possible (XTEn)"),
          new Option("interrupt_entries", "1..512", "256", "entries of each device's table"),
          new Option(
              "flush_limit",
              "0..65536",
              "32",
              "commands for one change; everything is invalidated beyond"),
          new Option("timeout_ms", "1..600000", "2000", "how long the unit may take"),
          new Option(
              "ivmd",
              "source@first-last, ...",
              "",
              "memory that firmware reserved, mapped 1:1 for the device"),
          new Option(
              "ivhd",
              "source@setting, ...",
              "",
              "data settings of IVHD device entries: which special interrupts and system management"
                  + " messages of a device pass"));

  /** What has been read; {@link #of} checks what belongs together. */
  static Settings of(Options o) {
    Settings s =
        new Settings(
            o.choice("tables", Tables.class, Tables.AUTO),
            o.integer("levels", 4, 3, 5),
            o.number("page_sizes", -1),
            o.integer("pasid_bits", 20, 0, 20),
            o.flag("ats", false),
            o.flag("pri", false),
            o.flag("np_cache", false),
            o.flag("interrupt_remapping", true),
            o.flag("x2apic", true),
            o.integer("interrupt_entries", 256, 1, 512),
            o.integer("flush_limit", 32, 0, 1 << 16),
            o.integer("timeout_ms", 2_000, 1, 600_000),
            SourceRanges.of(o, "ivmd", 1L << 12, -1L >>> 12),
            DataSettings.of(o, "ivhd"));
    o.finish(OPTIONS.stream().map(Option::name).toList());
    if (s.pri && !s.ats) {
      throw invalid("pri", "needs ats: a device that asks for pages has to ask what they became");
    }
    if (Integer.bitCount(s.interrupts) != 1) {
      throw invalid("interrupt_entries", s.interrupts + " is not a power of two");
    }
    return s;
  }

  static Options.InvalidOption invalid(String name, String message) {
    return new Options.InvalidOption(name, message);
  }
}
