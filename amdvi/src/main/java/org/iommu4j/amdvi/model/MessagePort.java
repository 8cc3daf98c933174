package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.Completion;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.dma.Window;
import org.iommu4j.core.memory.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/**
 * Where devices' messages arrive: writes to the interrupt range go to the remapper, a message
 * anywhere else is DMA like any other.
 */
final class MessagePort {
  private final AmdviIommu unit;
  private @Nullable Window window;
  private final DmaRequest request = new DmaRequest();
  private final Translation translation = new Translation();
  private final InterruptDelivery delivery = new InterruptDelivery();

  MessagePort(AmdviIommu unit) {
    this.unit = unit;
  }

  synchronized boolean deliver(InterruptRequest message, InterruptDelivery out) {
    if (Setup.interrupt(message.address()) && message.pasid() < 0) {
      return unit.interrupts().deliver(message.source(), message.address(), message.data(), out);
    }
    if ((message.address() & 3) != 0) {
      out.block(null); // no interrupt message; a write across pages is for a DmaPort to split
      return false;
    }
    request
        .source(message.source())
        .pasid(message.pasid())
        .iova(message.address())
        .access(Access.WRITE);
    PhysicalMemory memory = unit.host().memory();
    Window w = window;
    if (w == null) {
      w = unit.windows().open(); // on first use: a unit without such messages has one window less
      window = w;
    }
    w.enter();
    boolean passed = unit.translate(request, translation);
    long pa = translation.pa();
    boolean device = passed && memory.isDevice(pa);
    int status = PhysicalMemory.VIOLATION;
    if (passed && !device) {
      status = memory.writeInt(pa, message.data());
    }
    w.exit();
    if (!passed) {
      out.block(translation.reason());
      return false;
    }
    if (device) {
      status = memory.writeInt(pa, message.data());
    }
    if (status != PhysicalMemory.OK) {
      out.block(null);
      return false;
    }
    out.deliver(InterruptDelivery.Kind.WRITTEN, pa, message.data(), 0);
    return true;
  }

  /** A write of a device to the interrupt range: an interrupt only if it has four bytes. */
  synchronized int write(DmaRequest r, Translation answer, long data, int length) {
    if (length != 4 || (r.iova() & 3) != 0) {
      Answer.refused(unit.setup(), unit.attached(answer), r, Reason.INTERRUPT_RANGE);
      answer.block(Completion.UNSUPPORTED_REQUEST, Reason.INTERRUPT_RANGE, 0);
      return PhysicalMemory.VIOLATION;
    }
    if (unit.interrupts().deliver(r.source(), r.iova(), (int) data, delivery)) {
      return PhysicalMemory.OK;
    }
    FaultReason why = delivery.reason();
    if (why != null) {
      answer.block(Completion.UNSUPPORTED_REQUEST, why, 0);
    }
    return PhysicalMemory.VIOLATION;
  }
}
