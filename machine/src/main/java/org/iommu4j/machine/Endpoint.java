package org.iommu4j.machine;

import java.util.List;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.machine.description.Units;

/**
 * A device behind a unit.
 *
 * @param name its name; for a captured one its id
 * @param about a few words, or empty
 * @param source its requester id
 * @param unit the unit in front of it
 * @param pasids the PASIDs that it uses
 * @param ats whether it answers invalidations of its translation cache
 */
public record Endpoint(
    String name, String about, int source, Unit unit, List<Integer> pasids, boolean ats) {
  /** Copies the list. */
  public Endpoint {
    pasids = List.copyOf(pasids);
  }

  /** Its requester id as a PCI function. */
  public String id() {
    return Units.requester(source);
  }

  /** A port for one thread of this device; close it. */
  public DmaPort port(PhysicalMemory memory, int pasid) {
    return new DmaPort(unit.iommu(), memory, source).pasid(pasid);
  }

  /** {@code name}, or {@code name/pasid}. */
  public String label(int pasid) {
    return pasid == DmaRequest.NO_PASID ? name : name + "/" + pasid;
  }
}
