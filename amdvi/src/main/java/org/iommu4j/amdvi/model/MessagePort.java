package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.dma.Completion;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.unit.MessageWrite;

/**
 * Where devices' messages arrive: writes to the interrupt range go to the remapper, a message
 * anywhere else is DMA like any other.
 *
 * <p>Locks: one message of a kind at a time. One that is DMA may go to the unit's own registers,
 * and waits there for commands, without a lock; those may wait for a device whose write to the
 * interrupt range is inside its window. So the two kinds have a lock each.
 */
final class MessagePort {
  private final AmdviIommu unit;
  private final MessageWrite writes;
  private final InterruptDelivery delivery = new InterruptDelivery();

  MessagePort(AmdviIommu unit) {
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
      Answer.refused(unit.setup(), unit.attached(answer), r, Reason.INTERRUPT_RANGE);
      answer.block(Completion.UNSUPPORTED_REQUEST, Reason.INTERRUPT_RANGE, 0);
      return PhysicalMemory.VIOLATION;
    }
    FaultReason why;
    synchronized (delivery) {
      if (unit.interrupts().deliver(r.source(), r.iova(), (int) data, delivery)) {
        return PhysicalMemory.OK;
      }
      why = delivery.reason();
    }
    if (why != null) {
      answer.block(Completion.UNSUPPORTED_REQUEST, why, 0);
    }
    return PhysicalMemory.VIOLATION;
  }
}
