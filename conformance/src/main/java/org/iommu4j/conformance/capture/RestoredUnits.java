package org.iommu4j.conformance.capture;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.iommu4j.conformance.Interrupt;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.dma.AtsFabric;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.InterruptLines;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.machine.capture.CaptureException;
import org.iommu4j.machine.capture.CaptureFolder;
import org.iommu4j.machine.capture.StrictObject;

/** The units of a capture as they stood, and the interrupts that they deliver. */
final class RestoredUnits {
  private final Map<String, Iommu> units = new LinkedHashMap<>();
  private final List<Interrupt> arrived = new ArrayList<>();

  RestoredUnits(
      CaptureFolder capture,
      List<Architecture> architectures,
      CacheBehaviour cache,
      PhysicalMemory memory)
      throws CaptureException {
    Host host =
        new Host(
            memory,
            AtsFabric.NONE,
            InterruptLines.NONE,
            (address, data) -> {
              arrived.add(Interrupt.of(address, data));
              return PhysicalMemory.OK;
            });
    for (RegisterImage image : capture.units()) {
      try {
        units.put(
            image.name(),
            CaptureFolder.architecture(image, architectures).restore(image, cache, host));
      } catch (IllegalArgumentException e) {
        throw new CaptureException(
            capture.folder().resolve("regs.json"), String.valueOf(e.getMessage()));
      }
    }
  }

  /** The unit that a line is about: the only one, or the one that its field {@code unit} names. */
  Iommu of(StrictObject line) {
    String only = units.size() == 1 ? units.keySet().iterator().next() : "";
    String name =
        only.isEmpty() || line.has("unit")
            ? line.choice("unit", units.keySet().toArray(String[]::new))
            : only;
    return Objects.requireNonNull(units.get(name));
  }

  /** Takes what was delivered to processors since this was last asked. */
  List<Interrupt> takeInterrupts() {
    List<Interrupt> taken = List.copyOf(arrived);
    arrived.clear();
    return taken;
  }
}
