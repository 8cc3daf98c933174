package org.iommu4j.amdvi.driver;

import java.util.HashMap;
import java.util.Map;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.Irte;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.Interrupt;
import org.iommu4j.driver.support.IdAllocator;
import org.iommu4j.driver.support.PcMessage;
import org.iommu4j.driver.support.Unit;

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
    write(source, table, index, message);
    return new Entry(source, index);
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

  private void write(int source, Table table, int index, PcMessage m) {
    long first =
        Irte.REMAP_EN.mask()
            | Irte.INT_TYPE.of(m.delivery())
            | Irte.RQ_EOI.of(m.level() ? 1 : 0)
            | Irte.DM.of(m.logical() ? 1 : 0);
    if (!plan.longEntries()) {
      long entry =
          first | Irte.SHORT_DESTINATION.of(m.destination()) | Irte.SHORT_VECTOR.of(m.vector());
      storeShort(table.at + (long) index * Irte.SHORT_BYTES, (int) entry);
    } else {
      long at = table.at + (long) index * Irte.LONG_BYTES;
      disable(source, at);
      unit.store(
          at + 8, Irte.VECTOR.of(m.vector()) | Irte.DESTINATION_HIGH.of(m.destination() >>> 24));
      unit.link(at, first | Irte.DESTINATION_LOW.of(m.destination()));
    }
    commands.run(new Batch().forgetInterrupts(source));
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

  private synchronized void retarget(int source, int index, long address, int data) {
    Table table = tables.get(source);
    if (table != null) {
      write(source, table, index, message(address, data));
    }
  }

  private synchronized void remove(int source, int index) {
    Table table = tables.get(source);
    if (table == null) {
      return; // the driver is closed, and everything with it
    }
    long at = table.at + (long) index * entryBytes();
    if (plan.longEntries()) {
      unit.store(at, 0);
    } else {
      storeShort(at, 0);
    }
    commands.run(new Batch().forgetInterrupts(source));
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
  }

  private final class Entry implements Interrupt {
    private final int source;
    private final int index;
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

    @Override
    public synchronized void retarget(long targetAddress, int targetData) {
      if (closed) {
        throw new IllegalStateException("the interrupt is closed");
      }
      InterruptTables.this.retarget(source, index, targetAddress, targetData);
    }

    @Override
    public void post(long descriptor, int vector, boolean urgent) {
      throw new IllegalArgumentException("this driver does not post messages");
    }

    @Override
    public synchronized void close() {
      if (!closed) {
        closed = true;
        remove(source, index);
      }
    }
  }
}
