package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Irte;
import org.iommu4j.amdvi.layout.PrivateSpace;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.dma.InterruptDelivery;
import org.iommu4j.core.memory.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/**
 * Interrupt remapping: from a device's message to what processors see. 48882, "Interrupt
 * Remapping". One message at a time: so an invalidation of interrupt tables and a COMPLETION_WAIT,
 * which take the same lock, wait for the message under way.
 */
final class InterruptRemapper {
  // A request's address and data.
  private static final Field LOGICAL = Field.bit("DM", 2);
  private static final Field DELIVERY_MODE = Field.bits("delivery mode", 10, 8);
  private static final Field INDEX = Field.bits("index", 10, 0);

  private static final int FIXED = 0;
  private static final int ARBITRATED = 1;
  private static final int SMI = 2;
  private static final int NMI = 4;
  private static final int INIT = 5;
  private static final int EXT_INT = 7;

  /** The largest IntTabLen that there is. */
  private static final int LONGEST = 11;

  private static final int LEVEL_ASSERTED = 1 << 14;
  private static final int TRIGGER_LEVEL = 1 << 15;

  private final AmdviIommu unit;
  private final IrteCache cache;
  private final Workspace w;

  /** Of interrupts that no device sent. */
  private final InterruptDelivery own = new InterruptDelivery();

  // The entry under way.
  private long entryAddress;
  private long first;
  private long second;

  InterruptRemapper(AmdviIommu unit) {
    this.unit = unit;
    this.cache = new IrteCache(unit.config().caches().behaviour());
    this.w = new Workspace(unit);
  }

  synchronized void invalidate(int deviceId) {
    cache.invalidate(deviceId);
  }

  synchronized void invalidateAll() {
    cache.invalidateAll();
  }

  /**
   * Waits for the message under way, which no window accounts for: it may go by a device table
   * entry that is invalidated.
   */
  synchronized void settle() {}

  /**
   * Carries a message out.
   *
   * @return whether it was delivered
   */
  synchronized boolean deliver(int source, long address, int data, InterruptDelivery out) {
    Setup s = unit.setup();
    Translator.begin(s, w, source, -1);
    w.interrupt = true;
    w.iova = address;
    w.faultAddress = address;
    if (!s.enabled) {
      return send(address, data, out);
    }
    Reason fault = DeviceTable.locate(s, w);
    if (fault != null) {
      return refuse(fault, false, out);
    }
    DeviceEntry d = w.device;
    if (!DeviceTableEntry.IV.isSet(d.word2)) {
      return send(address, data, out);
    }
    boolean ignores = DeviceTableEntry.IG.isSet(d.word2);
    if (d.interruptFault != null) {
      return refuse(d.interruptFault, false, out);
    }
    int mode = DELIVERY_MODE.getInt(data);
    boolean pureIndex = s.pureIndex && LOGICAL.isSet(address);
    if (!pureIndex && mode != FIXED && mode != ARBITRATED) {
      return special(s, d, mode, address, data, ignores, out);
    }
    return switch (DeviceTableEntry.INT_CTL.getInt(d.word2)) {
      case DeviceTableEntry.INT_ABORT -> refuse(Reason.INTERRUPT_ABORTED, ignores, out);
      case DeviceTableEntry.INT_FORWARD -> send(address, data, out);
      case DeviceTableEntry.INT_REMAP -> remap(s, d, data, ignores, out);
      default -> refuse(Reason.DTE_INT_CONTROL, false, out);
    };
  }

  /** SMI, NMI, INIT and ExtINT pass or not; they are never remapped. */
  private boolean special(
      Setup s,
      DeviceEntry d,
      int mode,
      long address,
      int data,
      boolean ignores,
      InterruptDelivery out) {
    if (mode == SMI) {
      w.count(s, Counters.SMI);
      if (s.config.smiAborted()) {
        return refuse(Reason.INTERRUPT_INDEX, ignores, out);
      }
      if (s.smiFilter && !passesFilter(w.deviceId)) {
        w.count(s, Counters.SMI_BLOCKED);
        boolean silent = ignores || !unit.enabled(Control.SMIF_LOG_EN);
        return refuse(Reason.SMI_FILTERED, silent, out);
      }
      return send(address, data, out);
    }
    boolean allowed =
        switch (mode) {
          case NMI -> DeviceTableEntry.NMI_PASS.isSet(d.word2);
          case INIT -> DeviceTableEntry.INIT_PASS.isSet(d.word2);
          case EXT_INT -> DeviceTableEntry.EINT_PASS.isSet(d.word2);
          default -> false;
        };
    return allowed && !LOGICAL.isSet(address)
        ? send(address, data, out)
        : refuse(Reason.INTERRUPT_TYPE, ignores, out);
  }

  private boolean passesFilter(int deviceId) {
    synchronized (unit.state()) {
      for (int n = 0; n < Registers.SMI_FILTERS; n++) {
        long filter = unit.registers().get(Registers.SMI_FILTER.get(n));
        if (Registers.SMI_VALID.isSet(filter) && Registers.SMI_DEVICE.get(filter) == deviceId) {
          return true;
        }
      }
    }
    return false;
  }

  private boolean remap(Setup s, DeviceEntry d, int data, boolean ignores, InterruptDelivery out) {
    if (DeviceTableEntry.INT_TAB_LEN.getInt(d.word2) > LONGEST) {
      return refuse(Reason.DTE_INT_LENGTH, false, out);
    }
    int index = INDEX.getInt(data);
    if (index >>> DeviceTableEntry.INT_TAB_LEN.getInt(d.word2) != 0) {
      return refuse(Reason.INTERRUPT_INDEX, ignores, out);
    }
    Reason fault = locate(s, d, index);
    if (fault != null) {
      return refuse(fault, false, out);
    }
    boolean silent = ignores || Irte.SUP_IOPF.isSet(first);
    if (!Irte.REMAP_EN.isSet(first)) {
      return refuse(Reason.INTERRUPT_DISABLED, silent, out);
    }
    if (Irte.GUEST_MODE.isSet(first)) {
      return s.longEntries && s.guestApic
          ? guest(s, out)
          : refuse(Reason.INTERRUPT_ENTRY, silent, out);
    }
    int type = Irte.INT_TYPE.getInt(first);
    if (type > ARBITRATED) {
      return refuse(Reason.INTERRUPT_ENTRY, silent, out);
    }
    w.count(s, Counters.INTERRUPTS);
    int destination =
        !s.longEntries
            ? Irte.SHORT_DESTINATION.getInt(first)
            : s.xt ? Irte.destination(first, second) : Irte.SHORT_DESTINATION.getInt(first);
    int vector = s.longEntries ? Irte.VECTOR.getInt(second) : Irte.SHORT_VECTOR.getInt(first);
    boolean level = (data & TRIGGER_LEVEL) != 0 || Irte.RQ_EOI.isSet(first);
    boolean logical = Irte.DM.isSet(first) && !s.config.has(ExtendedFeatures.FORCE_PHY_DEST_SUP);
    return send(
        Signals.message(destination, logical),
        vector | type << 8 | LEVEL_ASSERTED | (level ? TRIGGER_LEVEL : 0),
        out);
  }

  /** The entry of an index, in {@code first} and {@code second}. */
  private @Nullable Reason locate(Setup s, DeviceEntry d, int index) {
    int bytes = s.longEntries ? Irte.LONG_BYTES : Irte.SHORT_BYTES;
    entryAddress = DeviceTableEntry.INT_TAB_ROOT.in(d.word2) + (long) index * bytes;
    IrteCache.Entry kept = s.keepsIrtes ? cache.lookup(w.deviceId, index) : null;
    if (kept != null) {
      first = kept.first();
      second = kept.second();
      return null;
    }
    if (!(s.longEntries ? loadLong(s) : loadShort(s))) {
      w.faultAddress = entryAddress;
      return Reason.INTERRUPT_TABLE_READ;
    }
    if (s.keepsIrtes && (Irte.REMAP_EN.isSet(first) || s.keepsAbsent)) {
      cache.fill(w.deviceId, index, first, second);
    }
    return null;
  }

  /** An entry of 16 bytes, which software changes with one store. */
  private boolean loadLong(Setup s) {
    if (!w.loadPair(s, entryAddress)) {
      return false;
    }
    first = w.pair().first();
    second = w.pair().second();
    return true;
  }

  private boolean loadShort(Setup s) {
    PhysicalMemory memory = s.memory;
    if (memory.isDevice(entryAddress)
        || memory.status(entryAddress, Irte.SHORT_BYTES, false) != PhysicalMemory.OK) {
      return false;
    }
    first = memory.readInt(entryAddress);
    second = 0;
    return true;
  }

  /**
   * Guest mode: the interrupt is recorded in the guest's backing page; a processor that runs the
   * guest is told by its doorbell, of others the guest virtual APIC log tells, or with GAPPIEn a
   * physical interrupt. 48882, "Guest Virtual APIC". How a doorbell reaches its processor is the
   * machine's business: the delivery names it.
   */
  private boolean guest(Setup s, InterruptDelivery out) {
    w.count(s, Counters.GUEST_INTERRUPTS);
    PhysicalMemory memory = s.memory;
    int vector = Irte.VECTOR.getInt(second);
    long page = Irte.GA_ROOT.in(second);
    // The interrupt request register: eight words of 32 bits, 16 bytes apart.
    long at = page + 0x200 + (vector >>> 5) * 16L;
    if (memory.isDevice(at)
        || memory.status(at, 4, false) != PhysicalMemory.OK
        || memory.status(at, 4, true) != PhysicalMemory.OK) {
      w.faultAddress = at;
      return refuse(Reason.INTERRUPT_TABLE_READ, false, out);
    }
    Rmp rmp = s.rmp;
    Reason refused = rmp == null ? null : rmp.record(s, w, at);
    if (refused != null) {
      return refuse(refused, false, out);
    }
    boolean alone = s.gappi && Gappi.nonePending(memory, page);
    int seen = (int) memory.readInt(at);
    while (true) {
      int witness = memory.compareAndExchangeInt(at, seen, seen | 1 << (vector & 31));
      if (witness == seen) {
        break;
      }
      seen = witness;
    }
    // IsRun, GAPPIDis, Destination and GATag are not cached: software changes them without a
    // command.
    boolean readable = w.loadPair(s, entryAddress);
    long now = readable ? w.pair().first() : first;
    long high = readable ? w.pair().second() : second;
    long doorbell = 0;
    if (Irte.IS_RUN.isSet(now)) {
      int destination = s.xt ? Irte.destination(now, high) : Irte.SHORT_DESTINATION.getInt(now);
      doorbell = Signals.message(destination, false);
    } else if (s.gappi) {
      if (alone && !(s.gappiDis && Irte.GAPPI_DIS.isSet(now))) {
        Gappi.interrupt(s, unit.host().interrupts(), now, high);
      }
    } else if (Irte.GA_LOG_INTR.isSet(first)) {
      synchronized (unit.state()) {
        unit.gaLog().append(w.deviceId, Irte.GA_TAG.get(now));
      }
    }
    out.deliver(InterruptDelivery.Kind.RECORDED, page, vector, doorbell);
    return true;
  }

  /**
   * An interrupt of a guest's IOMMU, by way of the extended interrupt table: two levels, named by
   * the device table entry of the unit itself. As AMD's Linux driver programs them; nothing of it
   * is cached. Inferred: entries that are not valid send nothing, and what cannot be read is a
   * VIOMMU_HARDWARE_ERROR. Choice: the doorbell of a processor that runs the guest is rung as a
   * message to it, for no device's delivery names it.
   */
  synchronized void guest(int index) {
    Setup s = unit.setup();
    Translator.begin(s, w, unit.config().deviceId(), -1);
    w.interrupt = true;
    if (!s.virtual || DeviceTable.locate(s, w) != null) {
      return;
    }
    DeviceEntry d = w.device;
    if (!DeviceTableEntry.IV.isSet(d.word2)
        || d.interruptFault != null
        || DeviceTableEntry.INT_CTL.getInt(d.word2) != DeviceTableEntry.INT_REMAP) {
      return;
    }
    long at = DeviceTableEntry.INT_TAB_ROOT.in(d.word2) + 8L * PrivateSpace.FIRST_INDEX.get(index);
    PhysicalMemory memory = s.memory;
    if (memory.isDevice(at) || memory.status(at, 8, false) != PhysicalMemory.OK) {
      unit.virtual().interruptError(index, at);
      return;
    }
    long table = memory.readLong(at);
    if (!PrivateSpace.SECOND_VALID.isSet(table)) {
      return;
    }
    entryAddress =
        PrivateSpace.SECOND_TABLE.in(table)
            + PrivateSpace.SECOND_INDEX.get(index) * Irte.LONG_BYTES;
    if (!loadLong(s)) {
      unit.virtual().interruptError(index, entryAddress);
      return;
    }
    if (!Irte.REMAP_EN.isSet(first)) {
      return;
    }
    if (!Irte.GUEST_MODE.isSet(first)) {
      int destination =
          s.xt ? Irte.destination(first, second) : Irte.SHORT_DESTINATION.getInt(first);
      send(
          Signals.message(destination, Irte.DM.isSet(first)),
          Irte.VECTOR.getInt(second) | LEVEL_ASSERTED,
          own);
    } else if (guest(s, own) && own.notice() != 0) {
      send(own.notice(), 0, own);
    }
  }

  private boolean send(long address, int data, InterruptDelivery out) {
    if (unit.host().interrupts().deliver(address, data) != PhysicalMemory.OK) {
      out.block(null);
      return false;
    }
    out.deliver(InterruptDelivery.Kind.WRITTEN, address, data, 0);
    return true;
  }

  private boolean refuse(Reason reason, boolean silent, InterruptDelivery out) {
    if (!silent) {
      synchronized (unit.state()) {
        unit.eventLog().request(w, reason, false, false);
      }
    }
    out.block(reason);
    return false;
  }
}
