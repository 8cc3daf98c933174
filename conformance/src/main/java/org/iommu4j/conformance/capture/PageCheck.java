package org.iommu4j.conformance.capture;

import java.nio.file.Path;
import java.util.List;
import org.iommu4j.conformance.CaseFailure;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Differences;
import org.iommu4j.conformance.Tally;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.machine.capture.CaptureException;
import org.jspecify.annotations.Nullable;

/**
 * Asks the restored units for every page of every line of {@code expected.jsonl}, once to read and
 * once to write: address and permission have to be exact, and what must not pass must fault. Each
 * line counts as one case, {@code CAPTURE/expected/LINE}.
 *
 * <p>All pages are asked for, not samples: the largest captures have half a million, which takes
 * about a second.
 */
final class PageCheck {
  private static final String FILE = "expected.jsonl";

  private final String capture;
  private final RestoredUnits units;
  private final Tally tally;
  private final DmaRequest request = new DmaRequest();
  private final Translation answer = new Translation();

  PageCheck(String capture, RestoredUnits units, Tally tally) {
    this.capture = capture;
    this.units = units;
    this.tally = tally;
  }

  void check(Path folder) throws CaptureException {
    Lines.read(
        folder.resolve(FILE),
        "what the kernel had mapped was expected in it, one JSON object a line; without it there is"
            + " nothing to compare with",
        (number, line) -> {
          Iommu unit = units.of(line);
          Expectation expected = Expectation.read(line);
          String id = capture + "/expected/" + number;
          if (tally.wants(id)) {
            tally.count(id, false, failure(id, unit, expected));
          }
        });
  }

  private @Nullable CaseFailure failure(String id, Iommu unit, Expectation expected) {
    long pages = expected.size() / Expectation.PAGE;
    long wrong = 0;
    List<Difference> first = List.of();
    for (long page = 0; page < pages; page++) {
      List<Difference> found = page(unit, expected, page * Expectation.PAGE);
      if (!found.isEmpty() && wrong++ == 0) {
        first = found;
      }
    }
    if (wrong == 0) {
      return null;
    }
    Differences all = new Differences().all(first);
    if (pages > 1) {
      all.add("pages of this range", pages + " as expected", wrong + " otherwise");
    }
    return new CaseFailure(
        id, expected.origin(), CaseFailure.WHOLE, expected.describe(), all.list());
  }

  private List<Difference> page(Iommu unit, Expectation expected, long offset) {
    // Some byte of the page, so that the offset within it is looked at, too.
    long byteInPage = offset >>> 9 & (Expectation.PAGE - 8);
    Difference read = access(unit, expected, offset + byteInPage, Access.READ, "read");
    Difference write = access(unit, expected, offset + byteInPage, Access.WRITE, "write");
    if (read == null && write == null) {
      return List.of();
    }
    return read == null ? List.of(write) : write == null ? List.of(read) : List.of(read, write);
  }

  private @Nullable Difference access(
      Iommu unit, Expectation expected, long offset, int access, String kind) {
    boolean has = (expected.granted() & access) != 0;
    if (!has && (expected.refused() & access) == 0) {
      return null;
    }
    long iova = expected.iova() + offset;
    long pa = expected.pa() + offset;
    request.source(expected.source()).pasid(expected.pasid()).iova(iova).access(access);
    boolean passed = unit.translate(request, answer);
    if (passed == has && (!passed || answer.pa() == pa)) {
      return null;
    }
    FaultReason reason = answer.reason();
    return new Difference(
        kind + " of " + Differences.hex(iova),
        has ? "pa " + Differences.hex(pa) : "a fault",
        passed
            ? "pa " + Differences.hex(answer.pa())
            : "a fault: " + (reason == null ? "no reason" : reason.title()));
  }
}
