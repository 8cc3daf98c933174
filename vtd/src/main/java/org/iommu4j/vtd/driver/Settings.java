package org.iommu4j.vtd.driver;

import java.util.List;
import java.util.Map;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.Options;
import org.iommu4j.driver.support.SourceRanges;

/**
 * How the driver is to use a unit.
 *
 * @param mode which tables
 * @param stage which stage translates in scalable mode
 * @param levels depth of the page tables, 0 for the deepest
 * @param pageSizes the page sizes to use, of those that there are
 * @param addressBits host address width, 0 for what the unit's own width suggests
 * @param pasidBits bits of a PASID, of those that there are
 * @param registers invalidate through registers even if there is a queue
 * @param ats devices may keep translations in caches of their own, and are believed what they say
 * @param pri devices may ask for pages
 * @param queueDepth invalidations that a device takes at a time, 1..32
 * @param remapInterrupts use the interrupt remapping table
 * @param wideApicIds processors may have ids of 32 bits
 * @param interrupts entries of that table
 * @param queuePages pages of the invalidation queue
 * @param requestPages pages of the page request queue
 * @param flushLimit descriptors for one change, beyond which everything is invalidated
 * @param timeoutMillis how long the unit may take for anything
 * @param directRegions by source, what firmware reserved for it (RMRR)
 * @param busRanges by source, the buses that its messages may seem to come from
 * @param quirks what is wrong with the unit or its devices
 */
record Settings(
    Mode mode,
    Stage stage,
    int levels,
    long pageSizes,
    int addressBits,
    int pasidBits,
    boolean registers,
    boolean ats,
    boolean pri,
    int queueDepth,
    boolean remapInterrupts,
    boolean wideApicIds,
    int interrupts,
    int queuePages,
    int requestPages,
    int flushLimit,
    int timeoutMillis,
    Map<Integer, List<SourceRanges.Range>> directRegions,
    Map<Integer, List<SourceRanges.Range>> busRanges,
    Quirks quirks) {

  enum Mode {
    AUTO,
    LEGACY,
    SCALABLE
  }

  enum Stage {
    AUTO,
    FIRST,
    SECOND
  }

  /**
   * What is wrong with a unit or its devices.
   *
   * @param forceRwbf flush write buffers although the unit does not ask for it
   * @param maxAddressMask largest AM to use; 63 for whatever the unit says
   * @param noPmr leave protected memory alone
   * @param qatExtraFlush send each device-TLB invalidation twice
   * @param readOnlyNested refuse read-only mappings that guests' tables stand on
   * @param strictCaching behave as if the unit were in caching mode
   */
  record Quirks(
      boolean forceRwbf,
      int maxAddressMask,
      boolean noPmr,
      boolean qatExtraFlush,
      boolean readOnlyNested,
      boolean strictCaching) {}

  static final List<Option> OPTIONS =
      List.of(
          new Option(
              "mode",
              "auto|legacy|scalable",
              "auto",
              "which tables: scalable where there are such"),
          new Option(
              "stage",
              "auto|first|second",
              "auto",
              "which stage translates in scalable mode: first where there is one"),
          new Option("levels", "0|3|4|5", "0", "depth of the page tables; 0 is the deepest"),
          new Option("page_sizes", "number", "all", "bit n: use pages of 2^n bytes"),
          new Option(
              "host_address_width",
              "0|32..52",
              "0",
              "bits of a physical address, as the DMAR table tells them; 0 is CAP.MGAW + 1"),
          new Option("pasid_bits", "0..20", "20", "bits of a PASID, if the unit has so many"),
          new Option(
              "invalidation",
              "auto|queue|registers",
              "auto",
              "how to invalidate: through the queue where there is one"),
          new Option(
              "ats", "flag", "false", "devices may cache translations, and are trusted with that"),
          new Option("pri", "flag", "false", "devices may ask for pages; needs ats"),
          new Option(
              "ats_queue_depth", "1..32", "32", "invalidations that a device takes at a time"),
          new Option(
              "interrupt_remapping", "flag", "true", "remap interrupt messages where possible"),
          new Option(
              "x2apic", "flag", "true", "processor ids of 32 bits where possible (IRTA_REG.EIME)"),
          new Option("interrupt_entries", "2..65536", "4096", "entries of the remapping table"),
          new Option("queue_pages", "1..128", "2", "pages of the invalidation queue"),
          new Option("page_request_pages", "1..128", "16", "pages of the page request queue"),
          new Option(
              "flush_limit",
              "0..65536",
              "32",
              "descriptors for one change; everything is invalidated beyond"),
          new Option("timeout_ms", "1..600000", "2000", "how long the unit may take"),
          new Option(
              "rmrr",
              "source@first-last, ...",
              "",
              "reserved memory regions of firmware, mapped 1:1 for the device"),
          new Option(
              "bus_ranges",
              "source@first-last, ...",
              "",
              "devices behind bridges: buses that their interrupt messages seem to come from"),
          new Option(
              "force_rwbf", "flag", "false", "quirk: flush write buffers in any case (8086:2a40)"),
          new Option(
              "max_address_mask",
              "0..63",
              "63",
              "quirk: largest address mask (9 for the Xeon E5 of erratum BT176)"),
          new Option("no_pmr", "flag", "false", "quirk: leave PMEN_REG alone (5400 chipset)"),
          new Option(
              "qat_extra_flush",
              "flag",
              "false",
              "quirk: send each device-TLB invalidation twice (8086:4940)"),
          new Option(
              "read_only_nested",
              "flag",
              "false",
              "quirk: refuse read-only mappings under guests' tables (erratum 772415)"),
          new Option(
              "caching_mode_strict",
              "flag",
              "false",
              "invalidate what becomes present, too, as if CAP.CM were 1"));

  private enum Invalidation {
    AUTO,
    QUEUE,
    REGISTERS
  }

  /** What has been read; {@link #of} checks what belongs together. */
  static Settings of(Options o) {
    Settings s =
        new Settings(
            o.choice("mode", Mode.class, Mode.AUTO),
            o.choice("stage", Stage.class, Stage.AUTO),
            o.integer("levels", 0, 0, 5),
            o.number("page_sizes", -1),
            o.integer("host_address_width", 0, 0, 52),
            o.integer("pasid_bits", 20, 0, 20),
            o.choice("invalidation", Invalidation.class, Invalidation.AUTO)
                == Invalidation.REGISTERS,
            o.flag("ats", false),
            o.flag("pri", false),
            o.integer("ats_queue_depth", 32, 1, 32),
            o.flag("interrupt_remapping", true),
            o.flag("x2apic", true),
            powerOfTwo(o, "interrupt_entries", 4096, 2, 1 << 16),
            powerOfTwo(o, "queue_pages", 2, 1, 128),
            powerOfTwo(o, "page_request_pages", 16, 1, 128),
            o.integer("flush_limit", 32, 0, 1 << 16),
            o.integer("timeout_ms", 2_000, 1, 600_000),
            SourceRanges.of(o, "rmrr", 1L << 12, -1L >>> 12),
            SourceRanges.of(o, "bus_ranges", 1, 0xff),
            new Quirks(
                o.flag("force_rwbf", false),
                o.integer("max_address_mask", 63, 0, 63),
                o.flag("no_pmr", false),
                o.flag("qat_extra_flush", false),
                o.flag("read_only_nested", false),
                o.flag("caching_mode_strict", false)));
    o.finish(OPTIONS.stream().map(Option::name).toList());
    if (s.pri && !s.ats) {
      throw invalid("pri", "needs ats: a device that asks for pages has to ask what they became");
    }
    if (s.levels == 1 || s.levels == 2) {
      throw invalid("levels", s.levels + " is not one of 0 3 4 5");
    }
    if (s.addressBits != 0 && s.addressBits < 32) {
      throw invalid("host_address_width", s.addressBits + " is not 0 or within 32..52");
    }
    return s;
  }

  private static int powerOfTwo(Options o, String name, int standard, int min, int max) {
    int n = o.integer(name, standard, min, max);
    if (Integer.bitCount(n) != 1) {
      throw invalid(name, n + " is not a power of two");
    }
    return n;
  }

  static Options.InvalidOption invalid(String name, String message) {
    return new Options.InvalidOption(name, message);
  }
}
