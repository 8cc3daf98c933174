package org.iommu4j.cli;

import org.iommu4j.core.bits.Layout;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Inspector;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Walks and fault reasons for programs. */
final class WalkJson {
  private WalkJson() {}

  static ObjectNode of(Inspector.Walk walk, boolean decoded) {
    ObjectNode node = Json.object();
    node.put("passes", walk.passes());
    FaultReason reason = walk.reason();
    if (reason == null) {
      node.put("pa", Json.hex(walk.pa()));
      node.put("rangeShift", walk.rangeShift());
      node.put("permissions", Json.permissions(walk.permissions()));
    } else {
      node.set("reason", reason(reason));
    }
    node.put("outcome", walk.outcome());
    ArrayNode steps = node.putArray("steps");
    for (Inspector.Step step : walk.steps()) {
      ObjectNode s = steps.addObject();
      s.put("what", step.what());
      s.put("structure", step.layout().name());
      s.put("source", step.layout().source());
      s.put("address", Json.hex(step.address()));
      ArrayNode raw = s.putArray("raw");
      step.raw().forEach(w -> raw.add("0x%016x".formatted(w)));
      if (decoded) {
        ArrayNode fields = s.putArray("fields");
        long[] words = step.raw().stream().mapToLong(Long::longValue).toArray();
        for (Layout.Value v : step.layout().decode(words)) {
          ObjectNode f = fields.addObject();
          f.put("name", v.field().name());
          f.put("word", v.word());
          f.put("hi", v.field().hi());
          f.put("lo", v.field().lo());
          f.put("value", Json.hex(v.value()));
          String meaning = v.field().meaning(v.value());
          if (!meaning.isEmpty()) {
            f.put("meaning", meaning);
          }
        }
      }
    }
    return node;
  }

  static ObjectNode reason(FaultReason reason) {
    ObjectNode node = Json.object();
    node.put("name", reason.name());
    node.put("code", reason.code());
    node.put("title", reason.title());
    node.put("advice", reason.advice());
    return node;
  }
}
