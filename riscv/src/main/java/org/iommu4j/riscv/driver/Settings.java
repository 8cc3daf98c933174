package org.iommu4j.riscv.driver;

import java.util.List;
import org.iommu4j.core.Architecture.Option;
import org.iommu4j.core.Options;

/**
 * How the driver is to use a unit.
 *
 * @param stage which stages translate
 * @param mode the depth of the page tables
 * @param pageSizes the page sizes to use, of those that there are
 * @param ad who sets accessed and dirty bits
 * @param ats devices may keep translations in caches of their own, and are believed what they say
 * @param pri devices may ask for pages
 * @param pdt when a device gets a process directory
 * @param commands entries of the command queue
 * @param faults entries of the fault queue
 * @param pageRequests entries of the page-request queue
 * @param messageWindow device address of 1 MiB where interrupt messages are mapped
 * @param flushLimit invalidations by address up to this many, of everything beyond
 * @param timeoutMillis how long the unit may take for anything
 */
record Settings(
    Stage stage,
    Mode mode,
    long pageSizes,
    AccessedDirty ad,
    boolean ats,
    boolean pri,
    Pdt pdt,
    int commands,
    int faults,
    int pageRequests,
    long messageWindow,
    int flushLimit,
    int timeoutMillis) {

  enum Stage {
    AUTO,
    FIRST,
    SECOND,
    NESTED
  }

  enum Mode {
    WIDEST,
    SV39,
    SV48,
    SV57
  }

  enum AccessedDirty {
    SOFTWARE,
    HARDWARE
  }

  enum Pdt {
    ON_DEMAND,
    ALWAYS
  }

  /** Choice: where Linux has the window for messages that software places. */
  private static final long MESSAGE_WINDOW = 0x800_0000L;

  /** One page for each interrupt file: those of 256 harts, as many as Linux leaves room for. */
  static final long MESSAGE_WINDOW_BYTES = 1 << 20;

  /** What the smallest first stage, the lower half of Sv39, reaches. */
  private static final int LEAST_BITS = 38;

  static final List<Option> OPTIONS =
      List.of(
          new Option(
              "stage",
              "auto|first|second|nested",
              "auto",
              "which stages translate: first if there is one; nested is first over an identity"
                  + " second stage"),
          new Option(
              "mode",
              "widest|sv39|sv48|sv57",
              "widest",
              "depth of the page tables, the x4 form where the second stage translates"),
          new Option("page_sizes", "number", "all", "bit n: use pages of 2^n bytes"),
          new Option("ad", "software|hardware", "software", "who sets accessed and dirty bits"),
          new Option(
              "ats", "flag", "false", "devices may cache translations, and are trusted with that"),
          new Option("pri", "flag", "false", "devices may ask for pages; needs ats"),
          new Option(
              "pdt",
              "on-demand|always",
              "on-demand",
              "when a device gets a process directory: with its first PASID, or at once, so that"
                  + " the first PASID does not interrupt its DMA"),
          new Option("command_entries", "2..65536", "1024", "entries of the command queue"),
          new Option("fault_entries", "2..65536", "512", "entries of the fault queue"),
          new Option("page_request_entries", "2..65536", "512", "entries of that queue"),
          new Option(
              "message_window",
              "number",
              "0x8000000",
              "device address of 1 MiB where the pages of interrupt messages are mapped"),
          new Option(
              "flush_limit", "0..65536", "512", "invalidations by address; of everything beyond"),
          new Option("timeout_ms", "1..600000", "2000", "how long the unit may take"));

  static Settings of(Options o) {
    Settings s =
        new Settings(
            o.choice("stage", Stage.class, Stage.AUTO),
            o.choice("mode", Mode.class, Mode.WIDEST),
            o.number("page_sizes", -1),
            o.choice("ad", AccessedDirty.class, AccessedDirty.SOFTWARE),
            o.flag("ats", false),
            o.flag("pri", false),
            o.choice("pdt", Pdt.class, Pdt.ON_DEMAND),
            entries(o, "command_entries", 1024),
            entries(o, "fault_entries", 512),
            entries(o, "page_request_entries", 512),
            o.number("message_window", MESSAGE_WINDOW),
            o.integer("flush_limit", 512, 0, 1 << 16),
            o.integer("timeout_ms", 2_000, 1, 600_000));
    o.finish(OPTIONS.stream().map(Option::name).toList());
    if (s.pri && !s.ats) {
      throw invalid("pri", "needs ats: a device that asks for pages has to ask what they became");
    }
    if ((s.messageWindow & MESSAGE_WINDOW_BYTES - 1) != 0 || s.messageWindow >>> LEAST_BITS != 0) {
      throw invalid(
          "message_window",
          "0x%x is not a multiple of 0x%x below 0x%x"
              .formatted(s.messageWindow, MESSAGE_WINDOW_BYTES, 1L << LEAST_BITS));
    }
    return s;
  }

  private static int entries(Options o, String name, int standard) {
    int n = o.integer(name, standard, 2, 1 << 16);
    if (Integer.bitCount(n) != 1) {
      throw invalid(name, n + " is not a power of two");
    }
    return n;
  }

  static Options.InvalidOption invalid(String name, String message) {
    return new Options.InvalidOption(name, message);
  }
}
