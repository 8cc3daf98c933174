package org.iommu4j.conformance.capture;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.iommu4j.conformance.CaseFailure;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Differences;
import org.iommu4j.conformance.Interrupt;
import org.iommu4j.conformance.Tally;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.machine.capture.CaptureException;
import org.iommu4j.machine.capture.RequesterId;
import org.jspecify.annotations.Nullable;

/**
 * Sends every message of {@code msi.jsonl} through the restored unit: vector and destination have
 * to be those that were delivered. Each line counts as one case, {@code CAPTURE/msi/LINE}; a line
 * that the tables at the stop need not bear out any more is advisory.
 */
final class MessageCheck {
  private static final String FILE = "msi.jsonl";

  private final String capture;
  private final RestoredUnits units;
  private final Tally tally;

  MessageCheck(String capture, RestoredUnits units, Tally tally) {
    this.capture = capture;
    this.units = units;
    this.tally = tally;
  }

  /** Checks the file, if the capture has one. */
  void check(Path folder) throws CaptureException {
    Path file = folder.resolve(FILE);
    if (!Files.exists(file)) {
      return;
    }
    Lines.read(
        file,
        "it was there a moment ago",
        (number, line) -> {
          Iommu unit = units.of(line);
          MessageExpectation expected = MessageExpectation.read(line);
          String id = capture + "/msi/" + number;
          if (tally.wants(id)) {
            tally.count(id, !expected.holds(), failure(id, unit, expected));
          }
        });
  }

  private @Nullable CaseFailure failure(String id, Iommu unit, MessageExpectation expected) {
    return expected.source() == MessageExpectation.UNKNOWN
        ? ofAnySource(id, unit, expected)
        : ofSource(id, unit, expected, expected.source());
  }

  /** Whose message it was is not known: one requester at least has to be remapped like that. */
  private @Nullable CaseFailure ofAnySource(String id, Iommu unit, MessageExpectation expected) {
    CaseFailure last = null;
    for (int source = 0; source <= 0xffff; source++) {
      last = ofSource(id, unit, expected, source);
      if (last == null) {
        return null;
      }
    }
    return last;
  }

  private @Nullable CaseFailure ofSource(
      String id, Iommu unit, MessageExpectation expected, int source) {
    units.takeInterrupts();
    InterruptDelivery delivery = new InterruptDelivery();
    InterruptRequest request =
        new InterruptRequest().set(source, expected.address(), expected.data());
    boolean accepted = unit.remap(request, delivery);
    Differences found = new Differences();
    if (!accepted) {
      found.add(
          "status",
          "delivered",
          delivery.reason() == null ? "not accepted" : "blocked: " + delivery.reason().title());
    }
    List<Difference> all =
        found.all(Interrupt.compare(List.of(expected.delivered()), units.takeInterrupts())).list();
    return all.isEmpty()
        ? null
        : new CaseFailure(
            id,
            expected.origin(),
            CaseFailure.WHOLE,
            "message 0x%x to 0x%x by %s"
                .formatted(expected.data(), expected.address(), RequesterId.format(source)),
            all);
  }
}
