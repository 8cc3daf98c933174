package org.iommu4j.machine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.core.Architecture;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Inspector;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.machine.capture.CaptureException;
import org.iommu4j.machine.capture.CaptureFolder;
import org.iommu4j.machine.description.Units;

/** Makes a platform of a capture: units as they stood, devices as their tables name them. */
final class CapturedPlatform {
  /** A PCI segment has 65,536 functions. */
  private static final int MOST_CONTEXTS = 1 << 16;

  private final CaptureFolder capture;
  private final PhysicalMemory memory = new PhysicalMemory();
  private final List<Unit> units = new ArrayList<>();
  private final List<Endpoint> endpoints = new ArrayList<>();
  private final List<Resource> fixed = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();

  CapturedPlatform(CaptureFolder capture) {
    this.capture = capture;
  }

  Platform build() throws CaptureException {
    boolean done = false;
    try {
      capture.load(memory);
      for (RegisterImage image : capture.units()) {
        unit(image);
      }
      for (CaptureFolder.Ram r : capture.ram()) {
        fixed.add(new Resource("ram", Resource.Kind.MEMORY, r.base(), r.size(), ""));
      }
      done = true;
      return new Platform(
          capture.name(),
          "captured machine",
          memory,
          units,
          endpoints,
          List.of(),
          new Ledger(List.of()),
          fixed,
          notes);
    } finally {
      if (!done) {
        memory.close();
      }
    }
  }

  private void unit(RegisterImage image) throws CaptureException {
    Architecture architecture;
    Iommu iommu;
    try {
      architecture = CaptureFolder.architecture(image);
      iommu = architecture.restore(image, CacheBehaviour.NORMAL, Host.of(memory));
    } catch (IllegalArgumentException e) {
      throw new CaptureException(
          capture.folder().resolve("regs.json"), String.valueOf(e.getMessage()));
    }
    Unit unit = new Unit(image.name(), architecture, iommu, image.base(), null);
    units.add(unit);
    fixed.add(
        new Resource(
            image.name() + " registers",
            Resource.Kind.REGISTERS,
            image.base(),
            iommu.registerBytes(),
            image.name()));
    List<Inspector.Context> contexts = iommu.inspector().contexts(MOST_CONTEXTS);
    if (contexts.size() == MOST_CONTEXTS) {
      notes.add(image.name() + ": only the first " + MOST_CONTEXTS + " contexts are looked at");
    }
    Map<Integer, List<Integer>> pasids = new LinkedHashMap<>();
    Map<Integer, String> words = new LinkedHashMap<>();
    for (Inspector.Context c : contexts) {
      List<Integer> own = pasids.computeIfAbsent(c.source(), s -> new ArrayList<>());
      if (c.pasid() == DmaRequest.NO_PASID) {
        words.put(c.source(), c.description());
      } else {
        own.add(c.pasid());
      }
    }
    pasids.forEach(
        (source, own) ->
            endpoints.add(
                new Endpoint(
                    Units.requester(source),
                    words.getOrDefault(source, ""),
                    source,
                    unit,
                    own,
                    false)));
  }
}
