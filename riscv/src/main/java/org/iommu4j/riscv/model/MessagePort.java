package org.iommu4j.riscv.model;

import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.unit.MessageWrite;
import org.iommu4j.riscv.layout.Cause;

/**
 * Carries devices' interrupt messages. On RISC-V a message is a write like any other: it is
 * translated, and lands in an interrupt file, in memory, or in an MRIF.
 */
final class MessagePort {
  private final RiscvIommu unit;
  private final MessageWrite writes;

  MessagePort(RiscvIommu unit) {
    this.unit = unit;
    writes = new MessageWrite(unit, unit.host().memory(), this::record);
  }

  boolean deliver(InterruptRequest message, InterruptDelivery out) {
    return writes.deliver(message, out);
  }

  private boolean record(
      DmaRequest request, Translation translation, int data, InterruptDelivery out) {
    int outcome = record(request, translation, data, 4);
    long mrif = translation.messageAddress();
    switch (outcome) {
      case MrifWriter.RECORDED ->
          out.deliver(InterruptDelivery.Kind.RECORDED, mrif, data, translation.noticeAddress());
      case MrifWriter.DISCARDED -> out.deliver(InterruptDelivery.Kind.DISCARDED, mrif, data, 0);
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
      if ((notice & s.beyond) != 0
          || unit.host().memory().postInt(notice, translation.noticeData()) != PhysicalMemory.OK) {
        synchronized (unit.state()) {
          unit.faultQueue().messageFailed(notice);
        }
      }
    }
    return outcome;
  }
}
