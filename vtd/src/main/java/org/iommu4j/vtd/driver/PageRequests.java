package org.iommu4j.vtd.driver;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.PageRequestDescriptor;
import org.iommu4j.vtd.layout.Registers;

/** The page request queue. §7.4. */
final class PageRequests {
  private static final int PAGE = 4096;
  private static final int INVALID_REQUEST = 1;

  /** Overflows while one PASID is drained, at most: devices cannot keep us here. */
  private static final int ROUNDS = 8;

  private final Unit unit;
  private final Plan plan;
  private final InvalidationPort port;
  private final int entries;
  private final List<PageRequest> taken = new ArrayList<>();
  private long queue;
  private int head;

  /** Requests were lost while a PASID was drained: to be told. */
  private boolean overflowed;

  PageRequests(Unit unit, Plan plan, InvalidationPort port) {
    this.unit = unit;
    this.plan = plan;
    this.port = port;
    this.entries = plan.settings().requestPages() * PAGE / PageRequestDescriptor.BYTES;
  }

  private long bytes() {
    return (long) entries * PageRequestDescriptor.BYTES;
  }

  synchronized void start() {
    queue = unit.frames.allocate(bytes());
    head = 0;
    unit.write(Registers.PQH, 0);
    unit.write(Registers.PQT, 0);
    long pqa =
        Registers.PQA_BASE.in(queue)
            | Registers.PQS.of(Integer.numberOfTrailingZeros(plan.settings().requestPages()));
    unit.write(Registers.PQA, pqa);
    long stuck = unit.read(Registers.PQA);
    if (stuck != pqa) {
      throw new DriverException(
          "PQA_REG reads 0x%x after 0x%x was written: the page request queue cannot lie at 0x%x"
              .formatted(stuck, pqa, queue));
    }
    unit.write(Registers.PRS, Registers.PPR.mask() | Registers.PRO.mask());
  }

  /**
   * No context allows page requests any more. Those that the unit has taken come into the queue
   * first, where it can be told to wait for that (PD); if that fails the queue's memory stays lost.
   */
  synchronized void stop() {
    flush();
    unit.frames.free(queue, bytes());
  }

  private void flush() {
    Descriptors batch = new Descriptors(plan).fence();
    port.run(plan.hasEcap(ExtendedCapability.PDS) ? batch.drainRequests() : batch);
  }

  /**
   * All requests that came since the last call. As long as PPR is 1 the unit does not call again,
   * so they are taken once more after it was cleared.
   */
  synchronized List<PageRequest> serve(List<String> conditions) {
    take();
    long status = unit.read(Registers.PRS);
    if (overflowed || Registers.PRO.isSet(status)) {
      overflowed = false;
      conditions.add("page request queue: overflow, requests were lost (PRS.PRO)");
    }
    unit.write(Registers.PRS, status & (Registers.PPR.mask() | Registers.PRO.mask()));
    take();
    List<PageRequest> all = List.copyOf(taken);
    taken.clear();
    return all;
  }

  /** At most one queue full: what is then still in the queue came later. */
  private void take() {
    int end = (int) (unit.read(Registers.PQT) / PageRequestDescriptor.BYTES) % entries;
    VarHandle.acquireFence();
    if (end == head) {
      return;
    }
    for (; head != end; head = (head + 1) % entries) {
      long at = queue + (long) head * PageRequestDescriptor.BYTES;
      taken.add(decode(unit.memory.readLong(at), unit.memory.readLong(at + 8)));
    }
    unit.write(Registers.PQH, (long) head * PageRequestDescriptor.BYTES);
  }

  static PageRequest decode(long first, long second) {
    boolean pasid = PageRequestDescriptor.PP.isSet(first);
    return new PageRequest(
        PageRequestDescriptor.RID.getInt(first),
        false,
        pasid ? PageRequestDescriptor.PASID.getInt(first) : DmaRequest.NO_PASID,
        (pasid && PageRequestDescriptor.PMR.isSet(first) ? Access.PRIVILEGED : 0)
            | (pasid && PageRequestDescriptor.EXR.isSet(first) ? Access.EXECUTE : 0),
        second);
  }

  /**
   * Answers what a device still asks for under a PASID that it has no more. §7.10: everything that
   * the unit has taken comes into the queue (PD), unless the queue overflows, and then once more.
   */
  synchronized void drain(int source, int pasid) {
    for (int round = 0; round < ROUNDS; round++) {
      refuse(source, pasid);
      flush();
      refuse(source, pasid);
      if (!Registers.PRO.isSet(unit.read(Registers.PRS))) {
        return;
      }
      unit.write(Registers.PRS, Registers.PRO.mask());
      overflowed = true;
    }
    // Devices keep the queue full. What comes late is a request for a PASID that is gone.
  }

  private void refuse(int source, int pasid) {
    take();
    Descriptors answers = new Descriptors(plan);
    taken.removeIf(
        r -> {
          if (r.source() != source || r.pasid() != pasid) {
            return false;
          }
          if (PageRequestDescriptor.LPIG.isSet(r.payload())) {
            answers.respond(source, pasid, group(r), INVALID_REQUEST);
          }
          return true;
        });
    if (!answers.isEmpty()) {
      port.run(answers);
    }
  }

  static int group(PageRequest request) {
    return PageRequestDescriptor.PRGI.getInt(request.payload());
  }
}
