package org.iommu4j.vtd.model;

import org.iommu4j.core.dma.InterruptBus;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.vtd.layout.Irte;
import org.iommu4j.vtd.layout.PostedDescriptor;
import org.iommu4j.vtd.layout.Reason;
import org.jspecify.annotations.Nullable;

/**
 * Interrupt posting: a request is recorded in a guest's descriptor, and the processor that runs the
 * guest is told. §5.2.
 *
 * <p>Choice: reserved bits of the whole descriptor are checked, as the specification's layout has
 * them.
 *
 * <p>Choice: hardware updates the 64 bytes as one, here each doubleword is updated atomically. What
 * decides about the notification (ON, SN, NV, NDST) is one doubleword. The request is set before
 * ON: software that clears ON and then collects requests misses none, and at worst is notified of
 * one that it has collected.
 */
final class PostedInterrupts {
  private static final long CONTROL_RESERVED = PostedDescriptor.LAYOUT.reservedMask(4);
  private static final int LEVEL_ASSERTED = 1 << 14;

  private final VtdIommu unit;

  PostedInterrupts(VtdIommu unit) {
    this.unit = unit;
  }

  /** Posts the interrupt of an entry; null if that is done. */
  @Nullable Reason post(long low, long high, boolean eime, InterruptDelivery out) {
    PhysicalMemory memory = unit.host().memory();
    long at = descriptor(low, high);
    if (memory.isDevice(at)
        || memory.status(at, PostedDescriptor.BYTES, false) != PhysicalMemory.OK
        || memory.status(at, PostedDescriptor.BYTES, true) != PhysicalMemory.OK) {
      return Reason.IR_DESCRIPTOR_ACCESS;
    }
    long controlAt = at + PostedDescriptor.CONTROL_OFFSET;
    long control = memory.readLong(controlAt);
    long rest =
        memory.readLong(controlAt + 8)
            | memory.readLong(controlAt + 16)
            | memory.readLong(controlAt + 24);
    boolean tooWide =
        !eime && PostedDescriptor.NDST.in(control) != PostedDescriptor.XAPIC_NDST.in(control);
    if ((control & CONTROL_RESERVED) != 0 || rest != 0 || tooWide) {
      return Reason.IR_DESCRIPTOR_RESERVED;
    }
    int vector = Irte.VV.getInt(low);
    setRequest(memory, at + (vector >>> 6) * 8L, 1L << (vector & 63));
    long notice = notify(memory, controlAt, Irte.URG.isSet(low), eime);
    out.deliver(InterruptDelivery.Kind.RECORDED, at, vector, notice);
    return null;
  }

  /** Where the descriptor of an entry is. */
  static long descriptor(long low, long high) {
    return Irte.PDAH.get(high) << 32 | Irte.PDAL.get(low) << 6;
  }

  private static void setRequest(PhysicalMemory memory, long at, long bit) {
    long seen = memory.readLong(at);
    while (true) {
      long witness = memory.compareAndExchangeLong(at, seen, seen | bit);
      if (witness == seen) {
        return;
      }
      seen = witness;
    }
  }

  /** Sets ON and sends the notification, unless one is outstanding or suppressed. */
  private long notify(PhysicalMemory memory, long at, boolean urgent, boolean eime) {
    long seen = memory.readLong(at);
    while (true) {
      boolean on = PostedDescriptor.ON.isSet(seen);
      if (on || (PostedDescriptor.SN.isSet(seen) && !urgent)) {
        return 0;
      }
      long witness = memory.compareAndExchangeLong(at, seen, seen | PostedDescriptor.ON.mask());
      if (witness == seen) {
        break;
      }
      seen = witness;
    }
    int destination =
        eime ? (int) PostedDescriptor.NDST.get(seen) : PostedDescriptor.XAPIC_NDST.getInt(seen);
    long address = InterruptBus.address(destination);
    unit.host().interrupts().deliver(address, PostedDescriptor.NV.getInt(seen) | LEVEL_ASSERTED);
    return address;
  }
}
