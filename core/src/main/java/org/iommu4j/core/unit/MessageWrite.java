package org.iommu4j.core.unit;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.FaultReason;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.dma.InterruptRequest;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.dma.Translation;
import org.iommu4j.core.dma.Window;
import org.iommu4j.core.memory.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/**
 * An interrupt message that is DMA like any other: a write of four bytes, translated and carried
 * out. One message at a time, except where it goes to registers: those may be a unit's and wait for
 * a command, which may wait for other messages.
 */
public final class MessageWrite {
  /** Where a message goes that ended at a {@link Translation#MESSAGE} target. */
  @FunctionalInterface
  public interface Target {
    /**
     * Delivers the message there.
     *
     * @param translation where it ended
     * @return whether it was delivered, or accepted without effect
     */
    boolean deliver(DmaRequest request, Translation translation, int data, InterruptDelivery out);
  }

  private final Iommu unit;
  private final PhysicalMemory memory;
  private final Target target;
  private final DmaRequest request = new DmaRequest();
  private final Translation translation = new Translation();
  private @Nullable Window window;

  /**
   * For one unit.
   *
   * @param target for what does not end in memory
   */
  public MessageWrite(Iommu unit, PhysicalMemory memory, Target target) {
    this.unit = unit;
    this.memory = memory;
    this.target = target;
  }

  /** For a unit that translates such messages to memory only. */
  public MessageWrite(Iommu unit, PhysicalMemory memory) {
    this(unit, memory, (r, t, data, out) -> blocked(out, null));
  }

  /** Carries out a message; what {@link Iommu#remap} returns. */
  public boolean deliver(InterruptRequest message, InterruptDelivery out) {
    if ((message.address() & 3) != 0) {
      // No interrupt message; a write across pages is for a DmaPort to split.
      return blocked(out, null);
    }
    long pa;
    synchronized (this) {
      request
          .source(message.source())
          .pasid(message.pasid())
          .iova(message.address())
          .access(Access.WRITE);
      Window w = window;
      if (w == null) {
        w = unit.windows().open(); // on first use: a unit without such messages has one window less
        window = w;
      }
      w.enter();
      boolean passed = unit.translate(request, translation);
      pa = translation.pa();
      boolean elsewhere = translation.target() == Translation.MESSAGE;
      boolean device = passed && !elsewhere && memory.isDevice(pa);
      int status = PhysicalMemory.VIOLATION;
      if (passed && !elsewhere && !device) {
        status = memory.writeInt(pa, message.data());
      }
      w.exit();
      if (!passed) {
        return blocked(out, translation.reason());
      }
      if (elsewhere) {
        return target.deliver(request, translation, message.data(), out);
      }
      if (!device) {
        return written(status, pa, message, out);
      }
    }
    return written(memory.writeInt(pa, message.data()), pa, message, out);
  }

  private static boolean written(
      int status, long pa, InterruptRequest message, InterruptDelivery out) {
    if (status != PhysicalMemory.OK) {
      return blocked(out, null);
    }
    out.deliver(InterruptDelivery.Kind.WRITTEN, pa, message.data(), 0);
    return true;
  }

  private static boolean blocked(InterruptDelivery out, @Nullable FaultReason why) {
    out.block(why);
    return false;
  }
}
