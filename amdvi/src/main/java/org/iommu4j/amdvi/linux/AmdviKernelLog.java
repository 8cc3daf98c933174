package org.iommu4j.amdvi.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.iommu4j.core.KernelLog;
import org.iommu4j.core.KernelMessage;
import org.iommu4j.core.KernelMessage.Kind;
import org.jspecify.annotations.Nullable;

/** Reads the lines of Linux's AMD-Vi driver. */
public final class AmdviKernelLog implements KernelLog {
  /** What a line is about that names neither a unit nor a device. */
  static final String UNIT = "AMD-Vi";

  /** What {@link KernelMessage#advice} says of a line that has the prefix and is not known. */
  static final String UNKNOWN =
      "The AMD-Vi driver's line, but not one that is known here (up to Linux 7.2): look it up in"
          + " the kernel's drivers/iommu/amd.";

  private static final String DEVICE =
      "[\\w-]+ (?<device>[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]|ivhd\\d+"
          + "|[A-Z0-9]{4,8}:[0-9a-f]{2,}): ";

  /**
   * Repeated groups are possessive here and below: others take a frame of the stack each time.
   *
   * <p>Time stamps, log levels and host names may come first, then for some lines a driver and its
   * device, then the prefix; very old kernels call themselves AMD IOMMU.
   */
  private static final Pattern LINE =
      Pattern.compile(
          "(?:^|.*?[\\s\\]>])(?:"
              + DEVICE
              + ")?(?:AMD-Vi|AMD IOMMU):(?<text>(?:\\s|\\\\x09)*+(?<body>.*?))\\s*");

  /** Log level, time stamps, and what a journal puts first. */
  private static final Pattern BARE =
      Pattern.compile(
          "(?:<\\d+>)?(?:\\[[^\\]]*\\]\\s*)*+(?:[A-Z][a-z]{2} +\\d+ [\\d:]+ \\S+ kernel: )?"
              + "(?:\\[[^\\]]*\\]\\s*)*+(?:"
              + DEVICE
              + ")?(?<text>\\S.*?)\\s*");

  private static final List<Known> ALL = all();

  /** For the service loader. */
  public AmdviKernelLog() {}

  private static List<Known> all() {
    List<Known> all = new ArrayList<>(EventMessages.ALL);
    all.addAll(DumpMessages.ALL);
    all.addAll(TableMessages.ALL);
    all.addAll(UnitMessages.ALL);
    all.addAll(DriverMessages.ALL);
    return List.copyOf(all);
  }

  @Override
  public String architecture() {
    return "amdvi";
  }

  @Override
  public @Nullable KernelMessage parse(String line) {
    if (line.length() > LONGEST) {
      return null;
    }
    Matcher m = LINE.matcher(line);
    if (!m.matches()) {
      return bare(line);
    }
    String device = m.group("device");
    String text = m.group("text").strip();
    // An empty firmware-bug mark leaves its colon.
    String body =
        m.group("body")
            .replaceFirst("^\\[Firmware (?:Bug|Warn|Info)\\]: ?", "")
            .replaceFirst("^: ", "");
    KernelMessage event = EventMessages.parse(device, text, body);
    if (event != null) {
      return event;
    }
    String unit = device == null ? UNIT : device;
    KernelMessage known = Known.first(ALL, unit, text, body);
    return known != null ? known : new KernelMessage(unit, Kind.STATE, text, null, UNKNOWN);
  }

  private static @Nullable KernelMessage bare(String line) {
    Matcher m = BARE.matcher(line);
    if (!m.matches()) {
      return null;
    }
    String text = m.group("text");
    KernelMessage event = EventMessages.parse(m.group("device"), text, text);
    return event != null ? event : Known.first(DriverMessages.BARE, UNIT, text, text);
  }
}
