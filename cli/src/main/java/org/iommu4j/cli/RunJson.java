package org.iommu4j.cli;

import java.util.Locale;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.machine.DeviceInterrupt;
import org.iommu4j.machine.Endpoint;
import org.iommu4j.machine.InterruptTarget;
import org.iommu4j.machine.Platform;
import org.iommu4j.machine.Resource;
import org.iommu4j.machine.Unit;
import org.iommu4j.machine.reach.Isolation;
import org.iommu4j.machine.reach.Reach;
import org.iommu4j.machine.scenario.StepResult;
import org.iommu4j.machine.scenario.Throughput;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What a run came to, for programs. */
final class RunJson {
  private RunJson() {}

  static ObjectNode of(Platform platform, RunCommand.Outcome run) {
    ObjectNode root = Json.object();
    root.set("platform", platform(platform));
    ArrayNode steps = root.putArray("steps");
    run.steps().forEach(s -> steps.add(step(s)));
    root.set("isolation", isolation(run.isolation()));
    ObjectNode interrupts = root.putObject("interrupts");
    for (InterruptTarget t : platform.targets()) {
      ObjectNode target = interrupts.putObject(t.name());
      t.latched()
          .forEach((id, times) -> target.put(Long.toString(id & 0xffff_ffffL), times.longValue()));
    }
    ObjectNode statistics = root.putObject("statistics");
    run.statistics()
        .forEach(
            (unit, counters) -> {
              ObjectNode node = statistics.putObject(unit);
              counters.forEach(node::put);
            });
    ArrayNode traffic = root.putArray("traffic");
    run.traffic().forEach(t -> traffic.add(traffic(t)));
    ObjectNode summary = root.putObject("summary");
    summary.put("steps", run.steps().size());
    summary.put("unexpected", run.unexpected());
    summary.put(
        "skipped",
        run.steps().stream().filter(s -> s.outcome() == StepResult.Outcome.SKIPPED).count());
    summary.put("differences", run.isolation().differences().size());
    summary.put("ok", run.fine());
    return root;
  }

  static ObjectNode platform(Platform platform) {
    ObjectNode node = Json.object();
    node.put("name", platform.name());
    node.put("about", platform.about());
    ArrayNode units = node.putArray("units");
    for (Unit u : platform.units()) {
      ObjectNode unit = units.addObject();
      unit.put("name", u.name());
      unit.put("architecture", u.architecture().id());
      unit.put("specification", u.architecture().specification());
      unit.put("base", Json.hex(u.base()));
      unit.put("registerBytes", u.iommu().registerBytes());
    }
    ArrayNode devices = node.putArray("devices");
    for (Endpoint e : platform.endpoints()) {
      ObjectNode device = devices.addObject();
      device.put("name", e.name());
      device.put("about", e.about());
      device.put("id", e.id());
      device.put("source", Json.hex(e.source()));
      device.put("unit", e.unit().name());
      ArrayNode pasids = device.putArray("pasids");
      e.pasids().forEach(pasids::add);
    }
    ArrayNode interrupts = node.putArray("interrupts");
    for (DeviceInterrupt i : platform.ledger().interrupts()) {
      ObjectNode interrupt = interrupts.addObject();
      interrupt.put("name", i.name());
      interrupt.put("device", i.endpoint().name());
      interrupt.put("target", i.target().name());
      interrupt.put("data", i.data());
      interrupt.put("messageAddress", Json.hex(i.message().address()));
      interrupt.put("messageData", i.message().data());
    }
    ArrayNode notes = node.putArray("notes");
    platform.notes().forEach(notes::add);
    return node;
  }

  private static ObjectNode step(StepResult s) {
    ObjectNode node = Json.object();
    node.put("number", s.number());
    node.put("line", s.step().at().line());
    node.put("note", s.step().note());
    node.put("actor", s.actor());
    node.put("action", s.action());
    node.put("expected", lower(s.step().expect()));
    node.put("outcome", lower(s.outcome()));
    Long pa = s.pa();
    if (pa != null) {
      node.put("pa", Json.hex(pa));
      node.put("permissions", Json.permissions(s.permissions()));
    }
    node.put("detail", s.detail());
    ArrayNode faults = node.putArray("faults");
    s.faults().forEach(f -> faults.add(fault(f)));
    ArrayNode conditions = node.putArray("conditions");
    s.conditions().forEach(conditions::add);
    Inspector.Walk walk = s.walk();
    if (walk != null) {
      node.set("walk", WalkJson.of(walk, false));
    }
    ArrayNode objections = node.putArray("objections");
    s.objections().forEach(objections::add);
    return node;
  }

  private static ObjectNode fault(Fault f) {
    ObjectNode node = Json.object();
    node.set("reason", WalkJson.reason(f.reason()));
    node.put("source", Json.hex(f.source()));
    Json.pasid(node, f.pasid());
    node.put("transaction", f.transaction());
    node.put("address", Json.hex(f.address()));
    node.put("detail", Json.hex(f.detail()));
    return node;
  }

  static ObjectNode isolation(Isolation isolation) {
    ObjectNode node = Json.object();
    ArrayNode requesters = node.putArray("requesters");
    isolation.reaches().forEach(r -> requesters.add(requester(r)));
    ArrayNode resources = node.putArray("resources");
    for (Resource r : isolation.resources()) {
      ObjectNode resource = resources.addObject();
      resource.put("name", r.name());
      resource.put("kind", lower(r.kind()));
      resource.put("base", Json.hex(r.base()));
      resource.put("size", r.size());
      resource.put("owner", r.owner());
    }
    ArrayNode matrix = node.putArray("matrix");
    for (Reach reach : isolation.reaches()) {
      for (Resource r : isolation.resources()) {
        Reach.Cell cell = reach.of(r);
        if (cell.bytes() != 0) {
          ObjectNode entry = matrix.addObject();
          entry.put("requester", reach.label());
          entry.put("resource", r.name());
          entry.put("permissions", Json.permissions(cell.permissions()));
          entry.put("bytes", cell.bytes());
          entry.put("breach", isolation.breached(reach, r));
        }
      }
    }
    ArrayNode differences = node.putArray("differences");
    for (Isolation.Difference d : isolation.differences()) {
      ObjectNode difference = differences.addObject();
      difference.put("requester", d.reach().label());
      difference.put("kind", d.excess() ? "excess" : "missing");
      difference.put("iova", Json.hex(d.iova()));
      difference.put("size", d.size());
      difference.put("pa", Json.hex(d.pa()));
      difference.put("permissions", Json.permissions(d.permissions()));
    }
    return node;
  }

  private static ObjectNode requester(Reach reach) {
    ObjectNode node = Json.object();
    node.put("label", reach.label());
    node.put("device", reach.endpoint().name());
    node.put("source", Json.hex(reach.endpoint().source()));
    Json.pasid(node, reach.pasid());
    node.put("reach", lower(reach.view().reach()));
    if (reach.view().reason() != null) {
      node.set("reason", WalkJson.reason(reach.view().reason()));
    }
    node.put("bytes", reach.bytes());
    node.put("truncated", reach.view().truncated());
    ArrayNode mappings = node.putArray("mappings");
    for (Inspector.Mapping m : reach.view().mappings()) {
      ObjectNode mapping = mappings.addObject();
      mapping.put("iova", Json.hex(m.iova()));
      mapping.put("size", m.size());
      mapping.put("pa", Json.hex(m.pa()));
      mapping.put("permissions", Json.permissions(m.permissions()));
      mapping.put("message", m.message());
    }
    return node;
  }

  private static ObjectNode traffic(Throughput t) {
    ObjectNode node = Json.object();
    node.put("name", t.traffic().name());
    node.put("device", t.actor());
    node.put("kind", t.traffic().write() ? "write" : "read");
    node.put("pattern", t.traffic().random() ? "random" : "sequential");
    node.put("accessBytes", t.traffic().access());
    node.put("rangeBytes", t.traffic().size());
    node.put("threads", t.traffic().threads());
    node.put("accesses", t.accesses());
    node.put("seconds", t.nanos() / 1e9);
    node.put("accessesPerSecond", t.perSecond());
    node.put("bytesPerSecond", t.bytesPerSecond());
    node.put("nanosPerAccess", t.nanosPerAccess());
    node.put("nanosPerAccessBare", t.bareNanos());
    if (t.hits() >= 0) {
      node.put("hits", t.hits());
      node.put("misses", t.misses());
    }
    if (t.blocked() != null) {
      node.set("blocked", WalkJson.reason(t.blocked()));
    }
    return node;
  }

  private static String lower(Enum<?> e) {
    return e.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
