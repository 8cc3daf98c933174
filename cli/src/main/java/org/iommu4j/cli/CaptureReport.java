package org.iommu4j.cli;

import java.util.List;
import org.iommu4j.cli.Console.Style;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.machine.Platform;
import org.iommu4j.machine.Resource;
import org.iommu4j.machine.Unit;
import org.iommu4j.machine.description.Units;
import org.iommu4j.machine.reach.Isolation;
import org.iommu4j.machine.reach.Reach;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What the devices of a captured machine can reach. */
final class CaptureReport {
  private static final int RANGES = 12;

  private final Console console;
  private final Platform platform;
  private final Isolation isolation;
  private final boolean all;

  CaptureReport(Console console, Platform platform, Isolation isolation, boolean all) {
    this.console = console;
    this.platform = platform;
    this.isolation = isolation;
    this.all = all;
  }

  void print() {
    console.line(console.styled(Style.TITLE, platform.name()) + ": " + platform.about());
    for (Unit u : platform.units()) {
      console.line(
          "  %s at %s, %s"
              .formatted(u.name(), Units.address(u.base()), u.architecture().specification()));
    }
    platform.notes().forEach(n -> console.line("  " + console.styled(Style.NOTICE, n)));
    contexts();
    ranges();
    shared();
    console.flush();
  }

  private void contexts() {
    console.title("Devices");
    Table table =
        new Table("device", "reach", ">ranges", ">readable", ">writable", ">executable", "context");
    for (Reach r : isolation.reaches()) {
      FaultReason reason = r.view().reason();
      boolean translated = r.view().reach() == Inspector.Reach.TRANSLATED;
      Style style =
          switch (r.view().reach()) {
            case BLOCKED -> Style.FAINT;
            case IDENTITY -> Style.NOTICE;
            case TRANSLATED -> Style.GOOD;
          };
      table.row(
          r.label(),
          Table.cell(style, MatrixText.kind(r.view())),
          translated ? r.view().mappings().size() + (r.view().truncated() ? "+" : "") : "",
          translated ? total(r, Access.READ) : "",
          translated ? total(r, Access.WRITE) : "",
          translated ? total(r, Access.EXECUTE) : "",
          Table.cell(
              Style.FAINT,
              reason == null
                  ? r.endpoint().about()
                  : "%s (%s)".formatted(reason.title(), reason.codeText())));
    }
    table.print(console);
    long memory =
        isolation.resources().stream()
            .filter(r -> r.kind() == Resource.Kind.MEMORY)
            .mapToLong(Resource::size)
            .sum();
    if (isolation.reaches().stream().anyMatch(Reach::everything)) {
      console.line(
          console.styled(
              Style.NOTICE,
              "  identity: addresses pass unchanged, the device reaches all of memory (%s)"
                  .formatted(Units.roughly(memory))));
    }
    for (Resource r : isolation.resources()) {
      if (r.kind() == Resource.Kind.REGISTERS) {
        long able = isolation.reaches().stream().filter(d -> writes(d, r)).count();
        console.line(
            console.styled(
                able == 0 ? Style.GOOD : Style.NOTICE,
                "  %s at %s: %s"
                    .formatted(
                        r.name(),
                        Units.address(r.base()),
                        able == 0
                            ? "no device can write them"
                            : able + " devices can write them")));
      }
    }
  }

  private static boolean writes(Reach reach, Resource resource) {
    return (reach.of(resource).permissions() & Access.WRITE) != 0;
  }

  private static String total(Reach r, int permission) {
    long bytes =
        r.view().mappings().stream()
            .filter(m -> (m.permissions() & permission) != 0)
            .mapToLong(Inspector.Mapping::size)
            .sum();
    return bytes == 0 ? "-" : Units.roughly(bytes);
  }

  private void ranges() {
    for (Reach r : isolation.reaches()) {
      List<Inspector.Mapping> mappings = r.view().mappings();
      if (mappings.isEmpty()) {
        continue;
      }
      console.title("%s reaches %s".formatted(r.label(), Units.roughly(r.bytes())));
      Table table = new Table(">device address", ">size", "may", ">leads to", "");
      int shown = all ? mappings.size() : Math.min(RANGES, mappings.size());
      for (Inspector.Mapping m : mappings.subList(0, shown)) {
        table.row(
            Units.address(m.iova()),
            Units.size(m.size()),
            Access.permissions(m.permissions()),
            Units.address(m.pa()),
            m.message() ? "interrupts" : "");
      }
      table.print(console);
      if (shown < mappings.size()) {
        console.line(
            console.styled(
                Style.FAINT,
                "  and %d more ranges; --all shows them".formatted(mappings.size() - shown)));
      }
    }
  }

  private void shared() {
    List<Isolation.Shared> pairs = isolation.shared();
    if (pairs.isEmpty()) {
      return;
    }
    console.title("Memory that two devices reach");
    Table table = new Table("", "", ">in common", ">writable by one of them");
    for (Isolation.Shared s : pairs) {
      table.row(
          s.one().label(),
          s.other().label(),
          Units.roughly(s.bytes()),
          s.writable() == 0 ? "-" : Units.roughly(s.writable()));
    }
    table.print(console);
  }

  /** The same for programs. */
  static ObjectNode json(Platform platform, Isolation isolation) {
    ObjectNode root = Json.object();
    root.set("platform", RunJson.platform(platform));
    root.set("isolation", RunJson.isolation(isolation));
    ArrayNode shared = root.putArray("shared");
    for (Isolation.Shared s : isolation.shared()) {
      ObjectNode node = shared.addObject();
      node.put("one", s.one().label());
      node.put("other", s.other().label());
      node.put("bytes", s.bytes());
      node.put("writableBytes", s.writable());
    }
    return root;
  }
}
