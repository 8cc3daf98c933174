package org.iommu4j.amdvi.driver;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.Irte;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.driver.support.IdAllocator;
import org.iommu4j.driver.support.PcMessage;
import org.iommu4j.driver.support.Unit;
import org.jspecify.annotations.Nullable;

/**
 * The interrupt remapping tables, one for each device that has messages. 48882, "Interrupt
 * Remapping Tables". A device without is refused all of them: IntCtl is 0.
 */
final class InterruptTables {
  private static final long PAGE = 4096;

  private final Unit unit;
  private final Plan plan;
  private final CommandRing commands;
  private final DeviceTable devices;
  private final Map<Integer, Table> tables = new HashMap<>();

  /** By GATag, what is posted. 0 is nobody's. */
  private final Map<Integer, Entry> tagged = new HashMap<>();

  private final IdAllocator tags =
      new IdAllocator("tag of a posted message", 1, Integer.MAX_VALUE - 1);

  /** A device's table. */
  private record Table(long at, IdAllocator indices) {}

  InterruptTables(Unit unit, Plan plan, CommandRing commands, DeviceTable devices) {
    this.unit = unit;
    this.plan = plan;
    this.commands = commands;
    this.devices = devices;
  }

  /** The interrupt fields of a device without messages. */
  long none() {
    return plan.settings().remapInterrupts() ? DeviceTableEntry.IV.mask() : 0;
  }

  private int entryBytes() {
    return plan.longEntries() ? Irte.LONG_BYTES : Irte.SHORT_BYTES;
  }

  private long tableBytes() {
    return Math.max(PAGE, (long) plan.settings().interrupts() * entryBytes());
  }

  /** See {@link org.iommu4j.driver.IommuDriver#interrupt}. */
  synchronized Interrupt open(int source, long address, int data) {
    PcMessage message = message(address, data);
    Table table = tables.computeIfAbsent(source, this::create);
    int index = table.indices.take();
    fill(source, table, index, message);
    return new Entry(source, index);
  }

  /** Writes an entry that was free. */
  private void fill(int source, Table table, int index, PcMessage message) {
    try {
      write(source, table, index, message);
    } catch (DriverException e) {
      clear(table.at + (long) index * entryBytes());
      throw e; // the index stays taken: caches may hold the entry
    }
  }

  private void clear(long at) {
    if (plan.longEntries()) {
      unit.store(at, 0);
    } else {
      storeShort(at, 0);
    }
  }

  /** Whose tag that is, or was; null if nobody's. */
  synchronized @Nullable Interrupt posted(int tag) {
    return tagged.get(tag);
  }

  /** All that the unit may have logged. */
  synchronized List<Interrupt> waiting() {
    List<Interrupt> all = new ArrayList<>();
    for (Entry e : tagged.values()) {
      long first = unit.memory.readLong(at(e));
      if (Irte.GA_LOG_INTR.isSet(first) && !Irte.IS_RUN.isSet(first)) {
        all.add(e);
      }
    }
    return all;
  }

  private PcMessage message(long address, int data) {
    PcMessage message = PcMessage.of(address, data);
    message.checkDestination(plan.wideApicIds(), "Control.XTEn is 0");
    if (message.delivery() > 1) {
      throw new IllegalArgumentException(
          "0x%x is no data of a remapped message: entries are fixed or arbitrated, delivery mode %d"
                  .formatted(data, message.delivery())
              + " is not");
    }
    return message;
  }

  private Table create(int source) {
    int entries = plan.settings().interrupts();
    Table table =
        new Table(
            unit.frames.allocate(tableBytes()),
            new IdAllocator("interrupt of device 0x%x".formatted(source), 0, entries - 1));
    devices.interrupts(
        source,
        DeviceTableEntry.IV.mask()
            | DeviceTableEntry.INT_TAB_LEN.of(Integer.numberOfTrailingZeros(entries))
            | DeviceTableEntry.INT_TAB_ROOT.in(table.at)
            | DeviceTableEntry.INT_CTL.of(DeviceTableEntry.INT_REMAP));
    commands.run(new Batch().forgetDevice(source).forgetInterrupts(source));
    return table;
  }

  private static long common(PcMessage m) {
    return Irte.REMAP_EN.mask()
        | Irte.INT_TYPE.of(m.delivery())
        | Irte.RQ_EOI.of(m.level() ? 1 : 0)
        | Irte.DM.of(m.logical() ? 1 : 0);
  }

  private static long first(PcMessage m) {
    return common(m) | Irte.DESTINATION_LOW.of(m.destination());
  }

  private static long second(PcMessage m) {
    return Irte.VECTOR.of(m.vector()) | Irte.DESTINATION_HIGH.of(m.destination() >>> 24);
  }

  private void write(int source, Table table, int index, PcMessage m) {
    if (!plan.longEntries()) {
      long entry =
          common(m) | Irte.SHORT_DESTINATION.of(m.destination()) | Irte.SHORT_VECTOR.of(m.vector());
      storeShort(table.at + (long) index * Irte.SHORT_BYTES, (int) entry);
    } else {
      replace(source, table.at + (long) index * Irte.LONG_BYTES, first(m), second(m));
    }
    commands.run(new Batch().forgetInterrupts(source));
  }

  /** A change of one word is a change at once: no message is lost. */
  private void replace(int source, long at, long first, long second) {
    if (unit.memory.readLong(at + 8) != second && unit.memory.readLong(at) != first) {
      disable(source, at);
    }
    unit.store(at + 8, second);
    unit.link(at, first);
  }

  /** Two words do not change at once: the entry is off meanwhile. */
  private void disable(int source, long at) {
    if (Irte.REMAP_EN.isSet(unit.memory.readLong(at))) {
      unit.store(at, 0);
      commands.run(new Batch().forgetInterrupts(source));
    }
  }

  private void storeShort(long at, int entry) {
    if (unit.memory.writeInt(at, entry) != PhysicalMemory.OK) {
      throw new DriverException("the table memory at 0x%x cannot be written".formatted(at));
    }
  }

  /**
   * Java cannot store the two words of an entry at once. So a message that changes both gets
   * another entry, and the old one stays until the device has surely been programmed anew: if there
   * is a free one. Else the entry is off for a moment.
   */
  private synchronized void retarget(Entry e, long address, int data) {
    Table table = tables.get(e.source);
    if (table == null) {
      return;
    }
    PcMessage message = message(address, data);
    leaveFormer(e, table);
    int fresh = changesBoth(e, message) ? table.indices.takeIfAny() : IdAllocator.NONE;
    if (fresh == IdAllocator.NONE) {
      write(e.source, table, e.index, message);
      untag(e);
    } else {
      fill(e.source, table, fresh, message);
      e.former = e.index;
      e.index = fresh;
    }
  }

  /** Of a posted message nothing may stay behind: it is not asked here. */
  private boolean changesBoth(Entry e, PcMessage m) {
    return plan.longEntries()
        && e.tag == 0
        && unit.memory.readLong(at(e)) != first(m)
        && unit.memory.readLong(at(e) + 8) != second(m);
  }

  /** The entry that the device was programmed with before the last change. */
  private void leaveFormer(Entry e, Table table) {
    int index = e.former;
    if (index != IdAllocator.NONE) {
      clear(table.at + (long) index * entryBytes());
      commands.run(new Batch().forgetInterrupts(e.source));
      e.former = IdAllocator.NONE;
      table.indices.giveBack(index);
    }
  }

  /** Makes the entry one of guest mode. 48882, "Guest Virtual APIC". */
  private synchronized void post(Entry e, long page, int vector, boolean urgent) {
    checkPage(page, vector);
    Table table = tables.get(e.source);
    if (table == null) {
      return; // the driver is closed, and everything with it
    }
    leaveFormer(e, table);
    if (e.tag == 0) {
      e.tag = tags.take();
      tagged.put(e.tag, e);
    }
    replace(
        e.source,
        at(e),
        Irte.REMAP_EN.mask()
            | Irte.GA_LOG_INTR.of(urgent ? 1 : 0)
            | Irte.GUEST_MODE.mask()
            | Irte.GA_TAG.of(e.tag),
        Irte.VECTOR.of(vector) | Irte.GA_ROOT.in(page));
    commands.run(new Batch().forgetInterrupts(e.source));
  }

  private void checkPage(long page, int vector) {
    if (!plan.postsInterrupts()) {
      throw new IllegalArgumentException("the unit cannot post interrupts (GASup, GAMSup)");
    }
    if (vector < 0 || vector > 0xff) {
      throw new IllegalArgumentException("vector %d is not within 0..255".formatted(vector));
    }
    if ((page & PAGE - 1) != 0
        || page >>> Plan.ADDRESS_BITS != 0
        || unit.memory.status(page, PAGE, true) != PhysicalMemory.OK) {
      throw new IllegalArgumentException(
          "a virtual APIC backing page at 0x%x: it takes 4096 bytes of memory at a multiple of 4096"
              .formatted(page));
    }
  }

  /** The unit reads IsRun and the destination anew for each message: no command is needed. */
  private synchronized void runsOn(Entry e, int processor) {
    if (e.tag == 0 || !tables.containsKey(e.source)) {
      throw new IllegalStateException("the message is not posted");
    }
    long at = at(e);
    long still = unit.memory.readLong(at) & ~(Irte.IS_RUN.mask() | Irte.DESTINATION_LOW.mask());
    if (processor == Interrupt.NOWHERE) {
      unit.store(at, still);
      return;
    }
    if (!plan.wideApicIds() && processor >>> 8 != 0) {
      throw new IllegalArgumentException(
          "processor 0x%x: this unit reaches those below 0x100 (Control.XTEn is 0)"
              .formatted(processor));
    }
    long second = unit.memory.readLong(at + 8);
    long there = Irte.DESTINATION_HIGH.set(second, processor >>> 24);
    if (there != second) {
      unit.store(at, still); // two words do not change at once
      unit.link(at + 8, there);
    }
    unit.link(at, still | Irte.IS_RUN.mask() | Irte.DESTINATION_LOW.of(processor));
  }

  private long at(Entry e) {
    Table table = tables.get(e.source);
    if (table == null) {
      throw new IllegalStateException("a message without a table");
    }
    return table.at + (long) e.index * Irte.LONG_BYTES;
  }

  /** Nothing is posted with the tag any more. */
  private void untag(Entry e) {
    if (e.tag != 0) {
      tagged.remove(e.tag);
      tags.giveBack(e.tag);
      e.tag = 0;
    }
  }

  private synchronized void remove(Entry e) {
    int source = e.source;
    int index = e.index;
    Table table = tables.get(source);
    if (table == null) {
      return; // the driver is closed, and everything with it
    }
    leaveFormer(e, table);
    long at = table.at + (long) index * entryBytes();
    clear(at);
    commands.run(new Batch().forgetInterrupts(source));
    untag(e);
    table.indices.giveBack(index);
  }

  /** No device is remapped any more. */
  synchronized void stop() {
    Batch batch = new Batch();
    tables.forEach(
        (source, table) -> {
          devices.interrupts(source, none());
          batch.forgetDevice(source).forgetInterrupts(source);
        });
    if (!batch.isEmpty()) {
      commands.run(batch);
    }
    tables.values().forEach(t -> unit.frames.free(t.at, tableBytes()));
    tables.clear();
    tagged.clear();
  }

  private final class Entry implements Interrupt {
    private final int source;
    private volatile int index;

    /** The entry that the device may still be programmed with. Guarded by the tables. */
    private int former = IdAllocator.NONE;

    /** GATag; 0 if it is not posted. Guarded by the tables. */
    private int tag;

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
      return PcMessage.FIRST;
    }

    @Override
    public int data() {
      return index;
    }

    private void checkOpen() {
      if (closed) {
        throw new IllegalStateException("the interrupt is closed");
      }
    }

    @Override
    public synchronized void retarget(long targetAddress, int targetData) {
      checkOpen();
      InterruptTables.this.retarget(this, targetAddress, targetData);
    }

    @Override
    public synchronized void post(long descriptor, int vector, boolean urgent) {
      checkOpen();
      InterruptTables.this.post(this, descriptor, vector, urgent);
    }

    @Override
    public synchronized void runsOn(int processor) {
      checkOpen();
      InterruptTables.this.runsOn(this, processor);
    }

    @Override
    public synchronized void close() {
      if (!closed) {
        closed = true;
        remove(this);
      }
    }
  }
}
