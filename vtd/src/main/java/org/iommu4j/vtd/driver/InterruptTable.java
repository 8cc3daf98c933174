package org.iommu4j.vtd.driver;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.driver.support.IdAllocator;
import org.iommu4j.driver.support.SourceRanges;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.Irte;
import org.iommu4j.vtd.layout.PostedDescriptor;
import org.iommu4j.vtd.layout.Registers;

/**
 * The interrupt remapping table. §5.1: one entry for each message of a device, which says where it
 * goes, and that nobody else may send it.
 *
 * <p>What changes of an entry that stays in its format is in its first word, so it changes in one
 * store; an entry of which both words change is not present for a moment, and what the device sends
 * then is blocked.
 */
final class InterruptTable {
  /** The smallest block of frames. */
  private static final int PAGE = 4096;

  /** No descriptor. */
  private static final long NONE = -1;

  private final Unit unit;
  private final Plan plan;
  private final Control control;
  private final InvalidationPort port;
  private final IdAllocator indices;

  /** Entries that caches may hold as they were, because an invalidation failed. */
  private final Set<Integer> owing = new HashSet<>();

  private long table;
  private boolean on;

  InterruptTable(Unit unit, Plan plan, Control control, InvalidationPort port) {
    this.unit = unit;
    this.plan = plan;
    this.control = control;
    this.port = port;
    this.indices =
        new IdAllocator("interrupt remapping entry", 0, plan.settings().interrupts() - 1);
  }

  private long bytes() {
    return Math.max(PAGE, (long) plan.settings().interrupts() * Irte.BYTES);
  }

  synchronized void start() {
    table = unit.frames.allocate(bytes());
    long irta =
        Registers.IRTA_BASE.in(table)
            | Registers.EIME.of(plan.wideApicIds() ? 1 : 0)
            | Registers.IRTA_S.of(Integer.numberOfTrailingZeros(plan.settings().interrupts()) - 1);
    unit.write(Registers.IRTA, irta);
    long stuck = unit.read(Registers.IRTA);
    if (stuck != irta) {
      throw new DriverException(
          "IRTA_REG reads 0x%x after 0x%x was written: the interrupt remapping table cannot lie"
                  .formatted(stuck, irta)
              + " at 0x%x".formatted(table));
    }
    control.once(Registers.SIRTP, Registers.IRTPS);
    if (!plan.hasCap(Capability.ESIRTPS)) {
      port.run(new Descriptors(plan).forgetInterrupts());
    }
    control.set(Registers.IRE, Registers.IRES, true);
    if (Registers.CFIS.isSet(control.status())) {
      // Firmware may have left it: messages that are not remapped would pass.
      control.set(Registers.CFI, Registers.CFIS, false);
    }
    on = true;
  }

  synchronized void stop() {
    on = false;
    control.set(Registers.IRE, Registers.IRES, false);
    if (!plan.hasCap(Capability.ESIRTPS)) {
      port.run(new Descriptors(plan).forgetInterrupts());
    }
    unit.frames.free(table, bytes());
  }

  /** See {@link org.iommu4j.driver.IommuDriver#interrupt}. */
  synchronized Interrupt open(int source, long address, int data) {
    long first = Message.entry(address, data, plan.wideApicIds());
    int index = indices.take();
    try {
      write(index, first, validation(source));
    } catch (DriverException e) {
      unit.memory.writeLong(at(index), 0);
      throw e; // the index stays taken: caches may hold the entry
    }
    return new Entry(source, index);
  }

  /** Who may send it: the device, or whoever is behind the same bridge. §5.1.3, SVT. */
  private long validation(int source) {
    List<SourceRanges.Range> buses = plan.settings().busRanges().get(source);
    if (buses == null) {
      return Irte.SVT.of(Irte.SVT_SID) | Irte.SID.of(source);
    }
    SourceRanges.Range range = buses.getFirst();
    return Irte.SVT.of(Irte.SVT_BUS) | Irte.SID.of(range.first() << 8 | range.last());
  }

  private long at(int index) {
    return table + (long) index * Irte.BYTES;
  }

  private void write(int index, long first, long second) {
    long at = at(index);
    long before = unit.memory.readLong(at);
    boolean cached = Irte.P.isSet(before) || owing.contains(index);
    // A change of one word is a change at once: no message is lost.
    if (Irte.P.isSet(before) && before != first && unit.memory.readLong(at + 8) != second) {
      unit.store(at, 0);
      forget(index);
      cached = false;
    }
    unit.store(at + 8, second);
    unit.link(at, first);
    if (cached || plan.cachesAbsent()) {
      forget(index);
    } else if (plan.flushesBuffers()) {
      control.flushBuffers();
    }
  }

  private void forget(int index) {
    owing.add(index);
    port.run(new Descriptors(plan).forgetInterrupt(index));
    owing.remove(index);
  }

  private void checkDescriptor(long descriptor, int vector) {
    if (!plan.postsInterrupts()) {
      throw new IllegalArgumentException("the unit cannot post interrupts (CAP.PI)");
    }
    if (vector < 0 || vector > 0xff) {
      throw new IllegalArgumentException("vector %d is not within 0..255".formatted(vector));
    }
    boolean aligned = (descriptor & PostedDescriptor.BYTES - 1) == 0;
    if (!aligned
        || descriptor >>> plan.haw() != 0
        || unit.memory.status(descriptor, PostedDescriptor.BYTES, true) != PhysicalMemory.OK) {
      throw new IllegalArgumentException(
          "a posted-interrupt descriptor at 0x%x: it takes 64 bytes of memory at a multiple of 64"
              .formatted(descriptor));
    }
  }

  /** §9.11: the unit changes the word at the same time. */
  private void aim(long descriptor, int processor) {
    if (processor != Interrupt.NOWHERE && !plan.wideApicIds() && processor >>> 8 != 0) {
      throw new IllegalArgumentException(
          "processor 0x%x: this unit reaches those below 0x100 (IRTA.EIME is 0)"
              .formatted(processor));
    }
    long at = descriptor + PostedDescriptor.CONTROL_OFFSET;
    Field target = plan.wideApicIds() ? PostedDescriptor.NDST : PostedDescriptor.XAPIC_NDST;
    long seen = unit.memory.readLong(at);
    while (true) {
      long next =
          processor == Interrupt.NOWHERE
              ? seen | PostedDescriptor.SN.mask()
              : target.set(seen, processor) & ~PostedDescriptor.SN.mask();
      long witness = unit.memory.compareAndExchangeLong(at, seen, next);
      if (witness == seen) {
        return;
      }
      seen = witness;
    }
  }

  private final class Entry implements Interrupt {
    private final int source;
    private final int index;

    /** The descriptor that the message is posted in. */
    private long posted = NONE;

    private boolean closed;

    Entry(int source, int index) {
      this.source = source;
      this.index = index;
    }

    @Override
    public int source() {
      return source;
    }

    @Override
    public long address() {
      return Message.handle(index);
    }

    @Override
    public int data() {
      return 0;
    }

    @Override
    public void retarget(long targetAddress, int targetData) {
      change(
          Message.entry(targetAddress, targetData, plan.wideApicIds()), validation(source), NONE);
    }

    @Override
    public void post(long descriptor, int vector, boolean urgent) {
      checkDescriptor(descriptor, vector);
      change(
          Irte.P.mask()
              | Irte.IM.mask()
              | Irte.URG.of(urgent ? 1 : 0)
              | Irte.VV.of(vector)
              | Irte.PDAL.of(descriptor >>> 6),
          validation(source) | Irte.PDAH.of(descriptor >>> 32),
          descriptor);
    }

    private void change(long next, long second, long descriptor) {
      synchronized (InterruptTable.this) {
        checkOpen();
        write(index, next, second);
        posted = descriptor;
      }
    }

    private void checkOpen() {
      if (closed || !on) {
        throw new IllegalStateException("the interrupt is closed");
      }
    }

    @Override
    public void runsOn(int processor) {
      synchronized (InterruptTable.this) {
        checkOpen();
        if (posted == NONE) {
          throw new IllegalStateException("the message is not posted");
        }
        aim(posted, processor);
      }
    }

    @Override
    public void close() {
      synchronized (InterruptTable.this) {
        if (closed || !on) {
          return;
        }
        closed = true;
        unit.store(at(index), 0);
        forget(index);
        unit.store(at(index) + 8, 0);
        indices.giveBack(index);
      }
    }
  }
}
