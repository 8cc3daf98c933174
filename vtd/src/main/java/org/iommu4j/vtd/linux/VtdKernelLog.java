package org.iommu4j.vtd.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.iommu4j.core.KernelLog;
import org.iommu4j.core.KernelMessage;
import org.iommu4j.core.KernelMessage.Kind;
import org.jspecify.annotations.Nullable;

/** Reads the lines of Linux's VT-d drivers. */
public final class VtdKernelLog implements KernelLog {
  /** What a line is about that names neither a unit nor a device. */
  static final String UNIT = "DMAR";

  /** What {@link KernelMessage#advice} says of a line that has the prefix and is not known. */
  static final String UNKNOWN =
      "The VT-d driver's line, but not one that is known here (up to Linux 7.2): look it up in the"
          + " kernel's drivers/iommu/intel.";

  /**
   * Repeated groups are possessive here and below: others take a frame of the stack each time.
   *
   * <p>Time stamps, log levels and host names may come first, then for some lines a device, then
   * one prefix or, in old kernels, two of them.
   */
  private static final Pattern LINE =
      Pattern.compile(
          "(?:^|.*?[\\s\\]>])(?:[a-z][\\w-]* (?<device>[0-9a-f:.]+): )?"
              + "(?<prefix>DMAR-IR|DMAR|dmar|INTR-REMAP|Intel-IOMMU|IOMMU):\\s*"
              + "(?<text>(?:(?:DMAR|INTR-REMAP|Intel-IOMMU|IOMMU):\\s*)*+(?<body>.*?))\\s*");

  /** Log level, time stamps, and what a journal puts first. */
  private static final Pattern BARE =
      Pattern.compile(
          "(?:<\\d+>)?(?:\\[[^\\]]*\\]\\s*)*+(?:[A-Z][a-z]{2} +\\d+ [\\d:]+ \\S+ kernel: )?"
              + "(?:\\[[^\\]]*\\]\\s*)*+(?<text>\\S.*?)\\s*");

  /** Prefixes that other drivers have as well: an unknown line behind them is not ours. */
  private static final List<String> SHARED = List.of("IOMMU", "Intel-IOMMU");

  private static final List<Known> DMA = dma();

  /** For the service loader. */
  public VtdKernelLog() {}

  private static List<Known> dma() {
    List<Known> all = new ArrayList<>(TableMessages.ALL);
    all.addAll(QueueMessages.ALL);
    all.addAll(UnitMessages.ALL);
    all.addAll(DriverMessages.ALL);
    // Old kernels wrote these lines with the other prefix, or with none.
    all.addAll(RemapMessages.ALL);
    return List.copyOf(all);
  }

  @Override
  public String architecture() {
    return "vtd";
  }

  @Override
  public @Nullable KernelMessage parse(String line) {
    if (line.length() > LONGEST) {
      return null;
    }
    Matcher m = LINE.matcher(line);
    if (!m.matches()) {
      Matcher bare = BARE.matcher(line);
      return bare.matches()
          ? first(DriverMessages.BARE, UNIT, bare.group("text"), bare.group("text"))
          : null;
    }
    String text = m.group("text");
    String body = m.group("body").replaceFirst("^\\[Firmware Bug\\]: ", "");
    KernelMessage fault = FaultMessages.parse(text, body);
    if (fault != null) {
      return fault;
    }
    String device = m.group("device");
    String unit = device == null ? UNIT : device;
    String prefix = m.group("prefix");
    KernelMessage known =
        first(prefix.equals("DMAR-IR") ? RemapMessages.ALL : DMA, unit, text, body);
    if (known != null || SHARED.contains(prefix)) {
      return known;
    }
    return new KernelMessage(unit, Kind.STATE, text, null, UNKNOWN);
  }

  private static @Nullable KernelMessage first(
      List<Known> list, String unit, String text, String body) {
    for (Known k : list) {
      KernelMessage message = k.parse(unit, text, body);
      if (message != null) {
        return message;
      }
    }
    return null;
  }
}
