package org.iommu4j.conformance;

import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes reports for programs. The names of the fields are stable:
 *
 * <pre>{@code
 * {"files": [{"name", "passed", "failed", "disputed", "advisory", "advisoryAsExpected",
 *             "skipped", "error", "notices": [],
 *             "failures": [{"id", "note", "step", "place", "text",
 *                           "differences": [{"field", "expected", "actual"}]}]}],
 *  "passed", "failed", "disputed"}
 * }</pre>
 */
public final class ReportJson {
  private static final JsonMapper MAPPER = new JsonMapper();

  private ReportJson() {}

  /** The whole report as one object. */
  public static String write(Report report) {
    ObjectNode all = MAPPER.createObjectNode();
    ArrayNode files = all.putArray("files");
    for (FileReport f : report.files()) {
      ObjectNode file = files.addObject();
      file.put("name", f.name());
      file.put("passed", f.passed());
      file.put("failed", f.failed());
      file.put("disputed", f.disputed());
      file.put("advisory", f.advisory());
      file.put("advisoryAsExpected", f.advisoryHeld());
      file.put("skipped", f.skipped());
      file.put("error", f.error());
      ArrayNode notices = file.putArray("notices");
      f.notices().forEach(notices::add);
      ArrayNode failures = file.putArray("failures");
      f.failures().forEach(one -> failure(failures.addObject(), one));
    }
    all.put("passed", report.passed());
    all.put("failed", report.failed());
    all.put("disputed", report.disputed());
    return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(all);
  }

  private static void failure(ObjectNode node, CaseFailure failure) {
    node.put("id", failure.id());
    node.put("note", failure.note());
    node.put("step", failure.step());
    node.put("place", failure.place());
    node.put("text", failure.text());
    ArrayNode differences = node.putArray("differences");
    for (Difference d : failure.differences()) {
      ObjectNode one = differences.addObject();
      one.put("field", d.field());
      one.put("expected", d.expected());
      one.put("actual", d.actual());
    }
  }
}
