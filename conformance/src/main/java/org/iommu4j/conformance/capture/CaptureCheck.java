package org.iommu4j.conformance.capture;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.iommu4j.conformance.CaseFailure;
import org.iommu4j.conformance.Difference;
import org.iommu4j.conformance.Differences;
import org.iommu4j.conformance.Tally;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.machine.capture.CaptureException;
import org.iommu4j.machine.capture.CaptureFolder;
import org.iommu4j.machine.capture.StrictObject;
import org.jspecify.annotations.Nullable;

/**
 * Restores a captured unit and asks it for every page of every line of {@code expected.jsonl}, once
 * to read and once to write: address and permission have to be exact, and what must not pass must
 * fault. Each line counts as one case, {@code CAPTURE/expected/LINE}.
 *
 * <p>All pages are asked for, not samples: the largest captures have half a million, which takes
 * about a second.
 */
public final class CaptureCheck {
  private static final String EXPECTED = "expected.jsonl";

  private final CaptureFolder capture;
  private final Iommu unit;
  private final DmaRequest request = new DmaRequest();
  private final Translation answer = new Translation();

  private CaptureCheck(CaptureFolder capture, Iommu unit) {
    this.capture = capture;
    this.unit = unit;
  }

  /**
   * Checks a capture.
   *
   * @throws CaptureException if it cannot be used; what was checked until then is in the tally
   */
  public static void run(Path folder, List<Architecture> architectures, Tally tally)
      throws CaptureException {
    CaptureFolder capture = CaptureFolder.open(folder);
    if (capture.units().size() != 1) {
      throw new CaptureException(
          folder.resolve("regs.json"),
          "has %d units; only captures with one unit, in front of all devices, can be checked"
              .formatted(capture.units().size()));
    }
    if (Files.exists(folder.resolve("msi.jsonl"))) {
      tally.notice("msi.jsonl: interrupt messages of captures are not checked");
    }
    try (PhysicalMemory memory = new PhysicalMemory()) {
      capture.load(memory);
      Iommu unit = restore(capture, architectures, memory);
      new CaptureCheck(capture, unit).check(folder.resolve(EXPECTED), tally);
    }
  }

  private static Iommu restore(
      CaptureFolder capture, List<Architecture> architectures, PhysicalMemory memory)
      throws CaptureException {
    try {
      return CaptureFolder.architecture(capture.units().getFirst(), architectures)
          .restore(capture.units().getFirst(), Host.of(memory));
    } catch (IllegalArgumentException e) {
      throw new CaptureException(
          capture.folder().resolve("regs.json"), String.valueOf(e.getMessage()));
    }
  }

  private void check(Path file, Tally tally) throws CaptureException {
    int number = 0;
    try (BufferedReader lines = Files.newBufferedReader(file)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (line.isBlank()) {
          continue;
        }
        Expectation expected = Expectation.read(StrictObject.parse(line, "line"));
        String id = capture.name() + "/expected/" + number;
        if (tally.wants(id)) {
          tally.count(id, false, failure(id, expected));
        }
      }
    } catch (StrictObject.Malformed e) {
      throw new CaptureException(
          file, "line " + number + ": " + e.getMessage() + "; take the capture again");
    } catch (NoSuchFileException e) {
      throw new CaptureException(
          file,
          "is missing; what the kernel had mapped was expected in it, one JSON object a line;"
              + " without it there is nothing to compare with");
    } catch (IOException e) {
      throw new CaptureException(file, "cannot be read after line " + number + ": " + e);
    }
  }

  private @Nullable CaseFailure failure(String id, Expectation expected) {
    long pages = expected.size() / Expectation.PAGE;
    long wrong = 0;
    List<Difference> first = List.of();
    for (long page = 0; page < pages; page++) {
      List<Difference> found = page(expected, page * Expectation.PAGE);
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

  private List<Difference> page(Expectation expected, long offset) {
    // Some byte of the page, so that the offset within it is looked at, too.
    long byteInPage = offset >>> 9 & (Expectation.PAGE - 8);
    Difference read = access(expected, offset + byteInPage, Access.READ, "read");
    Difference write = access(expected, offset + byteInPage, Access.WRITE, "write");
    if (read == null && write == null) {
      return List.of();
    }
    return read == null ? List.of(write) : write == null ? List.of(read) : List.of(read, write);
  }

  private @Nullable Difference access(Expectation expected, long offset, int access, String kind) {
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
