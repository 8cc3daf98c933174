package org.iommu4j.amdvi.model;

import java.util.BitSet;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.EventCode;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.PprRecord;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.memory.PhysicalMemory;

/** The event log: records in, an interrupt out. 48882, "Event Logging". State lock held. */
final class EventLog {
  private final AmdviIommu unit;

  /** Devices whose first page fault was logged: DTE.SE is about the others. */
  private final BitSet faulted = new BitSet(1 << 16);

  EventLog(AmdviIommu unit) {
    this.unit = unit;
  }

  /**
   * Logs what a memory or interrupt request met.
   *
   * @param w the request; {@code faultAddress} is the record's address
   * @param rw a write
   * @param tr a translation request
   */
  void request(Workspace w, Reason reason, boolean rw, boolean tr) {
    DeviceEntry d = w.device;
    boolean known = d.deviceId == w.deviceId;
    if (known && reason.isPageFault() && suppressed(d, w.deviceId)) {
      return;
    }
    boolean memory = reason.event() != EventCode.INVALID_DEVICE_REQUEST && !w.interrupt;
    boolean hardware =
        reason.event() == EventCode.DEV_TAB_HARDWARE_ERROR
            || reason.event() == EventCode.PAGE_TAB_HARDWARE_ERROR
            || reason.event() == EventCode.RMP_HARDWARE_ERROR;
    long first =
        reason.flags()
            | EventRecord.CODE.of(reason.code())
            | EventRecord.DEVICE_ID.of(w.deviceId)
            | (rw && memory ? EventRecord.RW.mask() : 0)
            | (tr ? EventRecord.TR.mask() : 0)
            | (w.interrupt && !isInvalidRequest(reason) ? EventRecord.I.mask() : 0)
            | (hardware ? hardwareType(w.faultAddress) : 0)
            | w.virtualFlags
            | identity(w, d, known, reason);
    if (known && unit.virtual().takes(w, d, reason, first, w.faultAddress)) {
      return;
    }
    boolean illegal = reason.event() == EventCode.ILLEGAL_DEV_TABLE_ENTRY;
    append(first, illegal ? w.faultAddress & -4L : w.faultAddress);
  }

  private static boolean isInvalidRequest(Reason reason) {
    return reason.event() == EventCode.INVALID_DEVICE_REQUEST;
  }

  /** Master abort: nobody is there. Target abort: a write is refused. Data error: poison. */
  private long hardwareType(long address) {
    long at = address & -8L;
    return EventRecord.HW_TYPE.of(
        switch (unit.host().memory().status(at, 8, false)) {
          case PhysicalMemory.POISONED -> 3;
          case PhysicalMemory.OK -> 2;
          default -> 1;
        });
  }

  /** DomainID or PASID, whichever the record of a reason has. */
  private static long identity(Workspace w, DeviceEntry d, boolean known, Reason reason) {
    int pasid = Math.max(w.pasid, 0);
    long byPasid = EventRecord.DOMAIN_OR_PASID.of(pasid) | EventRecord.PASID_19_16.of(pasid >>> 16);
    return switch (reason.event()) {
      case IO_PAGE_FAULT, PAGE_TAB_HARDWARE_ERROR ->
          reason.isGuest()
              ? byPasid
              : known && d.valid ? EventRecord.DOMAIN_OR_PASID.of(d.domainId) : 0;
      case ILLEGAL_DEV_TABLE_ENTRY, INVALID_DEVICE_REQUEST ->
          w.pasid < 0 ? 0 : byPasid | EventRecord.GN.mask();
      default -> 0;
    };
  }

  private boolean suppressed(DeviceEntry d, int deviceId) {
    if (DeviceTableEntry.SA.isSet(d.word1)) {
      return true;
    }
    if (!DeviceTableEntry.SE.isSet(d.word1)) {
      return false;
    }
    boolean again = faulted.get(deviceId);
    faulted.set(deviceId);
    return again;
  }

  /** INVALIDATE_DEVTAB_ENTRY: the next page fault of the device is its first. */
  void forget(int deviceId) {
    faulted.clear(deviceId);
  }

  /** The same for all devices. */
  void forgetAll() {
    faulted.clear();
  }

  /** A command that was illegal, could not be read, or failed. */
  void command(Reason reason, long address) {
    long type = reason.event() == EventCode.COMMAND_HARDWARE_ERROR ? hardwareType(address) : 0;
    append(EventRecord.CODE.of(reason.code()) | reason.flags() | type, address);
  }

  /** A device did not answer an invalidation. */
  void timeout(int deviceId, long commandAddress) {
    append(
        EventRecord.CODE.of(EventCode.IOTLB_INV_TIMEOUT.code())
            | EventRecord.DEVICE_ID.of(deviceId),
        commandAddress);
  }

  /** A page request that is not allowed: its identity has the layout of the PPR log. */
  void pageRequest(PageRequest m) {
    append(pageRequestIdentity(m), m.payload() & -1L << 12);
  }

  /** The first word of the record of a page request that is not allowed. */
  static long pageRequestIdentity(PageRequest m) {
    int pasid = Math.max(m.pasid(), 0);
    long payload = m.payload();
    long tag = payload >>> 3 & 0x1ff | (payload >>> 2 & 1) << 9;
    return EventRecord.CODE.of(EventCode.INVALID_PPR_REQUEST.code())
        | EventRecord.DEVICE_ID.of(m.source())
        | PprRecord.PASID_15_0.of(pasid)
        | PprRecord.TAG.of(tag)
        | PprRecord.PASID_19_16.of(pasid >>> 16);
  }

  /** A performance counter wrapped to 0. */
  void counterZero(long note) {
    append(
        EventRecord.CODE.of(EventCode.EVENT_COUNTER_ZERO.code()),
        note << 32 | note >>> 32 & 0xf_ffffL);
  }

  /** Appends a record that is ready. */
  void append(long first, long second) {
    RegisterFile r = unit.registers();
    hardware(r, first, second);
    if (r.get(Registers.STATUS, Registers.EVENT_LOG_RUN) == 0) {
      return;
    }
    boolean b = r.get(Registers.STATUS, Registers.EVENT_LOG_ACTIVE) != 0;
    if (!write(r, b ? Ring.EVENTS_B : Ring.EVENTS, first, second)) {
      overflow(r, b, first, second);
    }
  }

  /** Writes a record; false if there is no room. */
  private boolean write(RegisterFile r, Ring ring, long first, long second) {
    long base = r.get(ring.base());
    long size = Ring.bytes(base);
    long tail = r.get(ring.tail()) & size - 1;
    long next = (tail + EventRecord.BYTES) & size - 1;
    if (!Ring.valid(base) || next == r.get(ring.head())) {
      return false;
    }
    PhysicalMemory memory = unit.host().memory();
    long at = Ring.address(base, tail);
    // A record that cannot be written is lost; the log goes on.
    if (!memory.isDevice(at) && memory.status(at, EventRecord.BYTES, true) == PhysicalMemory.OK) {
      memory.writeLong(at, first);
      memory.writeLong(at + 8, second);
    }
    r.post(ring.tail(), next);
    unit.signals().raise(Registers.EVENT_LOG_INT, Signals.Source.EVENT_LOG);
    return true;
  }

  /** The log is full: it stops, or the other one goes on (DualEventLogEn = 2). */
  private void overflow(RegisterFile r, boolean b, long first, long second) {
    unit.signals()
        .raise(b ? Registers.EVENT_OVERFLOW_B : Registers.EVENT_OVERFLOW, Signals.Source.EVENT_LOG);
    boolean swaps = r.get(Control.REGISTER, Control.DUAL_EVENT_LOG_EN) == 2;
    if (swaps && write(r, b ? Ring.EVENTS : Ring.EVENTS_B, first, second)) {
      r.post(Registers.STATUS, Registers.EVENT_LOG_ACTIVE, b ? 0 : 1);
    } else {
      r.post(Registers.STATUS, Registers.EVENT_LOG_RUN, 0);
    }
  }

  /** Hardware errors are kept in registers, too. */
  private void hardware(RegisterFile r, long first, long second) {
    int code = EventRecord.CODE.getInt(first);
    if (!unit.config().has(ExtendedFeatures.HE_SUP) || (code != 3 && code != 4 && code != 6)) {
      return;
    }
    if (r.get(Registers.HARDWARE_EVENT_STATUS, Registers.HEV) != 0) {
      r.post(Registers.HARDWARE_EVENT_STATUS, Registers.HEO, 1);
    }
    r.post(Registers.HARDWARE_EVENT_STATUS, Registers.HEV, 1);
    r.post(Registers.HARDWARE_EVENT_UPPER, first);
    r.post(Registers.HARDWARE_EVENT_LOWER, second);
  }
}
