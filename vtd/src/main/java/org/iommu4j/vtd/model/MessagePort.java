package org.iommu4j.vtd.model;

import org.iommu4j.core.dma.Completion;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.unit.MessageWrite;
import org.iommu4j.vtd.layout.Reason;

/**
 * Where devices' messages arrive: writes to the interrupt range go to the remapper, a message
 * anywhere else is DMA like any other.
 *
 * <p>Locks: a device's write comes from inside its window, for which a command may wait. So it
 * never waits for a message to registers, which may wait for the command.
 */
final class MessagePort {
  private final VtdIommu unit;
  private final MessageWrite writes;
  private final InterruptDelivery delivery = new InterruptDelivery();

  MessagePort(VtdIommu unit) {
    this.unit = unit;
    writes = new MessageWrite(unit, unit.host().memory());
  }

  boolean deliver(InterruptRequest message, InterruptDelivery out) {
    if (Setup.interrupt(message.address()) && message.pasid() < 0) {
      return unit.interrupts().deliver(message.source(), message.address(), message.data(), out);
    }
    return writes.deliver(message, out);
  }

  /** A write of a device to the interrupt range: an interrupt only if it has four bytes. */
  int write(DmaRequest r, Translation answer, long data, int length) {
    if (length != 4 || (r.iova() & 3) != 0) {
      unit.reportInterrupt(Reason.IR_MALFORMED, r.source(), r.iova());
      answer.block(Completion.UNSUPPORTED_REQUEST, Reason.IR_MALFORMED, 0);
      return PhysicalMemory.VIOLATION;
    }
    synchronized (delivery) {
      if (unit.interrupts().deliver(r.source(), r.iova(), (int) data, delivery)) {
        return PhysicalMemory.OK;
      }
      FaultReason why = delivery.reason();
      if (why != null) {
        answer.block(Completion.UNSUPPORTED_REQUEST, why, 0);
      }
    }
    return PhysicalMemory.VIOLATION;
  }
}
