package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.PprRecord;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.memory.PhysicalMemory;
import org.jspecify.annotations.Nullable;

/** Page requests of devices. 48882, "Peripheral Page Request Logging". */
final class PprLog {
  private static final int READ = 1;
  private static final int WRITE = 2;
  private static final int LAST = 4;
  static final int INVALID_REQUEST = 1;

  private final AmdviIommu unit;

  PprLog(AmdviIommu unit) {
    this.unit = unit;
  }

  void receive(PageRequest m) {
    Setup s = unit.setup();
    Workspace w = new Workspace(unit);
    Translator.begin(s, w, m.source(), m.pasid());
    w.iova = m.payload() & -1L << 12;
    w.faultAddress = w.iova;
    RegisterFile r = unit.registers();
    long control;
    synchronized (unit.state()) {
      control = r.get(Control.REGISTER);
    }
    if (isMarker(m) && Control.BLK_STOP_MRK_EN.isSet(control)) {
      return;
    }
    Reason fault = refused(s, w, m, control);
    if (fault != null) {
      synchronized (unit.state()) {
        if (fault == Reason.PPR_NOT_ALLOWED || fault == Reason.PPR_WITHOUT_GUEST) {
          unit.eventLog().pageRequest(m);
        } else {
          unit.eventLog().request(w, fault, (m.payload() & WRITE) != 0, false);
        }
      }
      answer(m, INVALID_REQUEST, false);
      return;
    }
    if (unit.virtual().owns(w.device)) {
      unit.virtual().pageRequest(w.device, m, this);
      return;
    }
    boolean withPasid = DeviceTableEntry.GPRP.isSet(w.device.word0);
    boolean logged;
    int code;
    boolean answers;
    synchronized (unit.state()) {
      code = (int) r.get(Registers.PPR_AUTO_RESPONSE, Registers.AUTO_CODE);
      logged = log(r, m);
      answers =
          Control.PPR_AUTO_RSP_AON.isSet(control)
              || (!logged && Control.PPR_AUTO_RSP_EN.isSet(control));
    }
    if (answers) {
      answer(m, code, withPasid);
    }
  }

  private static @Nullable Reason refused(Setup s, Workspace w, PageRequest m, long control) {
    if (!s.enabled || !Control.PPR_EN.isSet(control)) {
      return Reason.PPR_NOT_ALLOWED;
    }
    Reason fault = DeviceTable.locate(s, w);
    if (fault != null) {
      return fault;
    }
    DeviceEntry d = w.device;
    if (d.memoryFault != null) {
      return d.memoryFault;
    }
    // Inferred: without EPHEn those may ask for pages that may ask for translations.
    if (!d.valid || !(s.enhancedPageRequests ? DeviceTableEntry.PPR.isSet(d.word0) : d.iotlb)) {
      return Reason.PPR_NOT_ALLOWED;
    }
    return m.pasid() >= 0 && !d.guest ? Reason.PPR_WITHOUT_GUEST : null;
  }

  /** Whether the log took the request. */
  private boolean log(RegisterFile r, PageRequest m) {
    if (r.get(Registers.STATUS, Registers.PPR_LOG_RUN) == 0) {
      return false;
    }
    boolean b = r.get(Registers.STATUS, Registers.PPR_LOG_ACTIVE) != 0;
    if (write(r, b, m)) {
      return true;
    }
    unit.signals()
        .raise(b ? Registers.PPR_OVERFLOW_B : Registers.PPR_OVERFLOW, Signals.Source.PPR_LOG);
    if (r.get(Control.REGISTER, Control.DUAL_PPR_LOG_EN) == 2 && write(r, !b, m)) {
      r.post(Registers.STATUS, Registers.PPR_LOG_ACTIVE, b ? 0 : 1);
      return true;
    }
    r.post(Registers.STATUS, Registers.PPR_LOG_RUN, 0);
    return false;
  }

  private boolean write(RegisterFile r, boolean b, PageRequest m) {
    Ring ring = b ? Ring.PPR_B : Ring.PPR;
    long base = r.get(ring.base());
    long size = Ring.bytes(base);
    long tail = r.get(ring.tail()) & size - 1;
    long next = (tail + PprRecord.BYTES) & size - 1;
    long head = r.get(ring.head());
    if (!Ring.valid(base) || next == head) {
      return false;
    }
    PhysicalMemory memory = unit.host().memory();
    long at = Ring.address(base, tail);
    if (!memory.isDevice(at) && memory.status(at, PprRecord.BYTES, true) == PhysicalMemory.OK) {
      memory.writeLong(at, record(m));
      memory.writeLong(at + 8, PprRecord.ADDRESS.in(m.payload()));
    }
    r.post(ring.tail(), next);
    early(r, b, (next - head & size - 1) / PprRecord.BYTES);
    unit.signals().raise(Registers.PPR_INT, Signals.Source.PPR_LOG);
    return true;
  }

  /** The log fills up: software hears of it before it is full. */
  private void early(RegisterFile r, boolean b, long entries) {
    Register indicator = b ? Registers.PPR_B_EARLY : Registers.PPR_EARLY;
    long early = r.get(indicator);
    if (!Registers.EARLY_EN.isSet(early) || entries < Registers.EARLY_THRESHOLD.get(early)) {
      return;
    }
    if (Registers.EARLY_INT_EN.isSet(early)) {
      unit.signals()
          .raise(
              b ? Registers.PPR_OVERFLOW_EARLY_B : Registers.PPR_OVERFLOW_EARLY,
              Signals.Source.PPR_LOG);
    } else {
      r.post(
          Registers.STATUS, b ? Registers.PPR_OVERFLOW_EARLY_B : Registers.PPR_OVERFLOW_EARLY, 1);
    }
  }

  /** A Stop Marker. */
  static boolean isMarker(PageRequest m) {
    return (m.payload() & (READ | WRITE)) == 0;
  }

  /** The first word of the entry of a request. */
  static long record(PageRequest m) {
    long payload = m.payload();
    long first =
        PprRecord.DEVICE_ID.of(m.source())
            | PprRecord.GROUP.of(payload >>> 3)
            | PprRecord.LAST.of(payload >>> 2)
            | ((payload & READ) != 0 ? PprRecord.R.mask() : 0)
            | ((payload & WRITE) != 0 ? PprRecord.W.mask() : 0)
            | ((m.access() & Access.EXECUTE) != 0 ? PprRecord.EX.mask() : 0)
            | ((m.access() & Access.PRIVILEGED) != 0 ? 0 : PprRecord.US.mask())
            | PprRecord.CODE.of(PprRecord.PAGE_SERVICE_REQUEST);
    if (m.pasid() != DmaRequest.NO_PASID) {
      first |=
          PprRecord.GN.mask()
              | PprRecord.PASID_15_0.of(m.pasid())
              | PprRecord.PASID_19_16.of(m.pasid() >>> 16);
    }
    return first;
  }

  /**
   * The unit answers for software, if the request is the last of its group. A Stop Marker is of no
   * group (PCIe ATS).
   */
  void answer(PageRequest m, int code, boolean withPasid) {
    if ((m.payload() & LAST) == 0 || isMarker(m)) {
      return;
    }
    int group = (int) (m.payload() >>> 3) & 0x1ff;
    unit.host()
        .ats()
        .respond(
            new PageResponse(
                m.source(),
                m.segmented(),
                withPasid ? m.pasid() : DmaRequest.NO_PASID,
                group,
                code,
                (long) group << 3));
  }
}
