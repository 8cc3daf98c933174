package org.iommu4j.conformance.riscvref;

import java.util.List;
import org.iommu4j.conformance.Differences;
import org.iommu4j.conformance.Step;
import org.iommu4j.machine.capture.StrictObject;

/** What becomes of Invalidation Requests: they are completed, or time out. */
final class InvalidationSteps {
  private InvalidationSteps() {}

  static Step<RiscvRefBench> completion(StrictObject fields) {
    Device device = Device.read(fields);
    List<String> tags = fields.texts("tags");
    int count = fields.integer("cc", 0, 7);
    StrictObject expect = fields.object("expect");
    boolean accepted = expect.flag("accepted");
    expect.finish();
    return bench -> {
      boolean found =
          bench
              .unit()
              .invalidationCompleted(
                  device.source(), device.segmented(), bench.tagVector(tags), count);
      return new Differences().same("accepted", accepted, found).list();
    };
  }

  static Step<RiscvRefBench> timeout(StrictObject fields) {
    List<String> tags = fields.texts("tags");
    return bench -> {
      bench.unit().invalidationTimedOut(bench.tagVector(tags));
      return List.of();
    };
  }
}
