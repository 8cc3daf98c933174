package org.iommu4j.conformance.capture;

import java.nio.file.Path;
import java.util.List;
import org.iommu4j.conformance.Tally;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.machine.capture.CaptureException;
import org.iommu4j.machine.capture.CaptureFolder;

/** Restores the units of a capture, and asks them for what its machine did at that moment. */
public final class CaptureCheck {
  private CaptureCheck() {}

  /**
   * Checks a capture.
   *
   * @param cache how much its units cache
   * @throws CaptureException if it cannot be used; what was checked until then is in the tally
   */
  public static void run(
      Path folder, List<Architecture> architectures, CacheBehaviour cache, Tally tally)
      throws CaptureException {
    CaptureFolder capture = CaptureFolder.open(folder);
    try (PhysicalMemory memory = new PhysicalMemory()) {
      capture.load(memory);
      RestoredUnits units = new RestoredUnits(capture, architectures, cache, memory);
      new PageCheck(capture.name(), units, tally).check(folder);
      new MessageCheck(capture.name(), units, tally).check(folder);
    }
  }
}
