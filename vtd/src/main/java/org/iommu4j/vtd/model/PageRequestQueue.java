package org.iommu4j.vtd.model;

import static org.iommu4j.vtd.layout.PageRequestDescriptor.ADDR;
import static org.iommu4j.vtd.layout.PageRequestDescriptor.LPIG;
import static org.iommu4j.vtd.layout.PageRequestDescriptor.PRGI;
import static org.iommu4j.vtd.layout.PageRequestDescriptor.RDR;
import static org.iommu4j.vtd.layout.PageRequestDescriptor.WRR;

import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.PageRequestDescriptor;
import org.iommu4j.vtd.layout.Reason;
import org.iommu4j.vtd.layout.Registers;

/** Page requests of devices. §7.4. */
final class PageRequestQueue {
  private static final int SUCCESS = 0;
  private static final int INVALID_REQUEST = 1;

  /** The queue took it: software answers. */
  private static final int QUEUED = -1;

  private final VtdIommu unit;

  PageRequestQueue(VtdIommu unit) {
    this.unit = unit;
  }

  void receive(PageRequest m) {
    Setup s = unit.setup();
    boolean last = LPIG.isSet(m.payload());
    if (!s.enabled || !unit.config().has(ExtendedCapability.PRS)) {
      // Nobody listens: what expects an answer is told so.
      answer(m, last, INVALID_REQUEST);
      return;
    }
    Workspace w = new Workspace(unit);
    boolean execute = (m.access() & Access.EXECUTE) != 0;
    Reason fault = Translator.pageRequest(s, w, m.source(), m.pasid());
    if (fault == null) {
      boolean stopMarker = !RDR.isSet(m.payload()) && !WRR.isSet(m.payload());
      if (stopMarker && !unit.config().has(ExtendedCapability.SMS)) {
        return; // a device that was told nothing of stop markers sent one: it expects no answer
      }
      int outcome = enqueue(s, m);
      w.count(s, 1, outcome == QUEUED ? 6 : 7, 0);
      answer(m, last && !stopMarker, outcome);
      return;
    }
    DmaRequest request =
        new DmaRequest()
            .source(m.source())
            .pasid(m.pasid())
            .iova(ADDR.in(m.payload()))
            .access(
                (WRR.isSet(m.payload()) ? Access.WRITE : Access.READ)
                    | (m.access() & Access.PRIVILEGED)
                    | (execute ? Access.EXECUTE : 0));
    if (!w.fpd || !fault.qualified()) {
      synchronized (unit.state()) {
        unit.faultLog().record(fault, request, true);
      }
    }
    answer(m, last, INVALID_REQUEST);
  }

  private int enqueue(Setup s, PageRequest m) {
    synchronized (unit.state()) {
      RegisterFile r = unit.registers();
      if (r.get(Registers.PRS, Registers.PRO) != 0) {
        return SUCCESS; // the device retries its translation and asks again
      }
      long size = 1L << (12 + Registers.PQS.getInt(r.get(Registers.PQA)));
      long tail = Registers.PQ_INDEX.in(r.get(Registers.PQT)) & size - 1;
      long next = (tail + PageRequestDescriptor.BYTES) & size - 1;
      long at = Registers.PQA_BASE.in(r.get(Registers.PQA)) + tail;
      PhysicalMemory memory = unit.host().memory();
      if (next == Registers.PQ_INDEX.in(r.get(Registers.PQH))
          || (at & s.beyond) != 0
          || memory.isDevice(at)
          || memory.status(at, PageRequestDescriptor.BYTES, true) != PhysicalMemory.OK) {
        unit.pageEvent().raise(Registers.PRO.mask());
        return SUCCESS;
      }
      memory.writeLong(at, record(m));
      memory.writeLong(at + 8, m.payload());
      memory.writeLong(at + 16, 0);
      memory.writeLong(at + 24, 0);
      r.post(Registers.PQT, next);
      unit.pageEvent().raise(Registers.PPR.mask());
      return QUEUED;
    }
  }

  private static long record(PageRequest m) {
    long first =
        PageRequestDescriptor.TYPE.of(PageRequestDescriptor.PAGE_REQUEST)
            | PageRequestDescriptor.RID.of(m.source());
    if (m.pasid() != DmaRequest.NO_PASID) {
      first |=
          PageRequestDescriptor.PP.mask()
              | PageRequestDescriptor.PASID.of(m.pasid())
              | ((m.access() & Access.PRIVILEGED) != 0 ? PageRequestDescriptor.PMR.mask() : 0)
              | ((m.access() & Access.EXECUTE) != 0 ? PageRequestDescriptor.EXR.mask() : 0);
    }
    return first;
  }

  /** The unit answers for software, if the last of a group was not queued. */
  private void answer(PageRequest m, boolean expected, int code) {
    if (!expected || code == QUEUED) {
      return;
    }
    int group = PRGI.getInt(m.payload());
    unit.host()
        .ats()
        .respond(
            new PageResponse(m.source(), m.segmented(), m.pasid(), group, code, PRGI.of(group)));
  }
}
