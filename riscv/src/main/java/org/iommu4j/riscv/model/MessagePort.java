package org.iommu4j.riscv.model;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.dma.Window;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.riscv.layout.Cause;
import org.jspecify.annotations.Nullable;

/**
 * Carries devices' interrupt messages. On RISC-V a message is a write like any other: it is
 * translated, and lands in an interrupt file, in memory, or in an MRIF.
 */
final class MessagePort {
  private final RiscvIommu unit;
  private @Nullable Window window;
  private final DmaRequest request = new DmaRequest();
  private final Translation translation = new Translation();

  MessagePort(RiscvIommu unit) {
    this.unit = unit;
  }

  synchronized boolean deliver(InterruptRequest message, InterruptDelivery out) {
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
      w = unit.windows().open(); // on first use: a unit without messages has one window less
      window = w;
    }
    w.enter();
    boolean passed = unit.translate(request, translation);
    long pa = translation.pa();
    boolean file = translation.target() == Translation.MESSAGE;
    boolean device = passed && !file && memory.isDevice(pa);
    int status = PhysicalMemory.VIOLATION;
    if (passed && !file && !device) {
      status = memory.writeInt(pa, message.data());
    }
    w.exit();
    if (!passed) {
      out.block(translation.reason());
      return false;
    }
    if (file) {
      return record(message, out);
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

  private boolean record(InterruptRequest message, InterruptDelivery out) {
    int outcome = record(request, translation, message.data(), 4);
    long mrif = translation.messageAddress();
    switch (outcome) {
      case MrifWriter.RECORDED ->
          out.deliver(
              InterruptDelivery.Kind.RECORDED, mrif, message.data(), translation.noticeAddress());
      case MrifWriter.DISCARDED ->
          out.deliver(InterruptDelivery.Kind.DISCARDED, mrif, message.data(), 0);
      default -> {
        out.block(Cause.of(outcome));
        return false;
      }
    }
    return true;
  }

  /** A write whose translation ended at an MRIF; a {@link PhysicalMemory} status. */
  int write(DmaRequest request, Translation translation, long data, int length) {
    int outcome = record(request, translation, data, length);
    return outcome == MrifWriter.RECORDED || outcome == MrifWriter.DISCARDED
        ? PhysicalMemory.OK
        : outcome == Cause.MRIF_DATA_CORRUPTION.code()
            ? PhysicalMemory.POISONED
            : PhysicalMemory.VIOLATION;
  }

  /** The IO bridge's part for an MRIF; what {@link MrifWriter#write} returns. AIA §9.5.2. */
  private int record(DmaRequest request, Translation translation, long data, int length) {
    Setup s = unit.setup();
    int offset = (int) request.iova() & 0xfff;
    int outcome = MrifWriter.write(s, offset, length, data, translation.messageAddress());
    if (outcome > 0) {
      Cause cause = Cause.of(outcome);
      if (cause != null) {
        boolean dtf = unit.attached(translation).dtf;
        synchronized (unit.state()) {
          unit.faultQueue().report(request, cause, dtf, request.iova(), 0);
        }
      }
    } else if (outcome == MrifWriter.RECORDED) {
      // The notice follows the update, whatever the enable bit; its data is little-endian.
      long notice = translation.noticeAddress();
      if ((notice & s.beyondPas) != 0
          || unit.host().memory().postInt(notice, translation.noticeData()) != PhysicalMemory.OK) {
        synchronized (unit.state()) {
          unit.faultQueue().messageFailed(notice);
        }
      }
    }
    return outcome;
  }
}
