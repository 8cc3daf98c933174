package org.iommu4j.riscv.model;

import static org.iommu4j.riscv.layout.Registers.PIE;
import static org.iommu4j.riscv.layout.Registers.PIP;
import static org.iommu4j.riscv.layout.Registers.PQB;
import static org.iommu4j.riscv.layout.Registers.PQCSR;
import static org.iommu4j.riscv.layout.Registers.PQEN;
import static org.iommu4j.riscv.layout.Registers.PQH;
import static org.iommu4j.riscv.layout.Registers.PQMF;
import static org.iommu4j.riscv.layout.Registers.PQOF;
import static org.iommu4j.riscv.layout.Registers.PQON;
import static org.iommu4j.riscv.layout.Registers.PQT;

import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.Command;
import org.iommu4j.riscv.layout.PageRequestRecord;
import org.iommu4j.riscv.layout.Registers;
import org.iommu4j.riscv.layout.TransactionType;
import org.jspecify.annotations.Nullable;

/** Page Requests and Stop Markers of devices. §2.8, §4.3. */
final class PageRequestQueue {
  private static final int SUCCESS = 0;
  private static final int INVALID_REQUEST = 1;
  private static final int RESPONSE_FAILURE = 15;

  /** The queue took it: software answers. */
  private static final int QUEUED = -1;

  /** PCIe message code of a Page Request, reported as iotval. */
  private static final int MESSAGE_CODE = 4;

  private final RiscvIommu unit;

  PageRequestQueue(RiscvIommu unit) {
    this.unit = unit;
  }

  void receive(PageRequest m) {
    Setup s = unit.setup();
    Workspace w = new Workspace(unit);
    w.begin(s);
    w.deviceId = m.source();
    w.pidValid = m.pasid() != DmaRequest.NO_PASID;
    w.pid = w.pidValid ? m.pasid() : 0;
    boolean prpr = false;
    int code;
    if (s.mode == Registers.MODE_OFF) {
      report(m, Cause.ALL_INBOUND_TRANSACTIONS_DISALLOWED, false);
      code = RESPONSE_FAILURE;
    } else if (s.mode == Registers.MODE_BARE || s.tooWide(m.source())) {
      report(m, Cause.TRANSACTION_TYPE_DISALLOWED, false);
      code = INVALID_REQUEST;
    } else {
      int cause = Translator.locateDevice(s, w);
      prpr = cause == 0 && w.dc.prpr;
      if (cause != 0) {
        report(m, cause(cause), false);
        code = RESPONSE_FAILURE;
      } else if (!w.dc.enPri) {
        report(m, Cause.TRANSACTION_TYPE_DISALLOWED, w.dc.dtf);
        code = INVALID_REQUEST;
      } else {
        code = enqueue(s, m);
      }
    }
    if (code != QUEUED) {
      respond(m, code, prpr);
    }
  }

  private static Cause cause(int code) {
    @Nullable Cause c = Cause.of(code);
    return c == null ? Cause.INTERNAL_DATA_PATH_ERROR : c;
  }

  private void report(PageRequest m, Cause cause, boolean dtf) {
    synchronized (unit.state()) {
      unit.faultQueue()
          .report(
              cause,
              TransactionType.MESSAGE_REQUEST,
              dtf,
              m.source(),
              m.pasid() != DmaRequest.NO_PASID,
              m.pasid(),
              (m.access() & Access.PRIVILEGED) != 0,
              MESSAGE_CODE,
              0);
    }
  }

  private int enqueue(Setup s, PageRequest m) {
    synchronized (unit.state()) {
      RegisterFile r = unit.registers();
      long csr = r.get(PQCSR);
      if (!PQEN.isSet(csr) || !PQON.isSet(csr) || PQMF.isSet(csr)) {
        return RESPONSE_FAILURE;
      }
      if (PQOF.isSet(csr)) {
        return SUCCESS; // the device retries its translation and asks again
      }
      Queue queue = Queue.of(r.get(PQB), PageRequestRecord.BYTES);
      long tail = r.get(PQT);
      int result = QUEUED;
      if (queue.next(tail) == r.get(PQH)) {
        r.post(PQCSR, PQOF, 1);
        result = SUCCESS;
      } else {
        PhysicalMemory memory = unit.host().memory();
        long at = queue.address(tail);
        if ((at & s.beyond) != 0
            || memory.status(at, PageRequestRecord.BYTES, true) != PhysicalMemory.OK) {
          r.post(PQCSR, PQMF, 1);
          result = RESPONSE_FAILURE;
        } else {
          long first = record(m);
          memory.writeLong(at, s.be ? Long.reverseBytes(first) : first);
          memory.writeLong(at + 8, s.be ? Long.reverseBytes(m.payload()) : m.payload());
          r.post(PQT, queue.next(tail));
        }
      }
      if (PIE.isSet(csr)) {
        unit.interrupts().raise(PIP);
      }
      return result;
    }
  }

  private static long record(PageRequest m) {
    long first = PageRequestRecord.DID.of(m.source());
    if (m.pasid() != DmaRequest.NO_PASID) {
      first |=
          PageRequestRecord.PID.of(m.pasid())
              | PageRequestRecord.PV.mask()
              | ((m.access() & Access.PRIVILEGED) != 0 ? PageRequestRecord.PRIV.mask() : 0)
              | ((m.access() & Access.EXECUTE) != 0 ? PageRequestRecord.EXEC.mask() : 0);
    }
    return first;
  }

  /** The unit answers for software, if the message is one that needs an answer. §2.8. */
  private void respond(PageRequest m, int code, boolean prpr) {
    long payload = m.payload();
    boolean stopMarker = !PageRequestRecord.R.isSet(payload) && !PageRequestRecord.W.isSet(payload);
    if (!PageRequestRecord.L.isSet(payload) || stopMarker) {
      return;
    }
    int group = PageRequestRecord.PRGI.getInt(payload);
    // A failure names the PASID of the request; other answers only with PRPR.
    int pasid = code == RESPONSE_FAILURE || prpr ? m.pasid() : DmaRequest.NO_PASID;
    long body = Command.PRG_INDEX.of(group) | Command.PRG_CODE.of(code);
    unit.host()
        .ats()
        .respond(new PageResponse(m.source(), m.segmented(), pasid, group, code, body));
  }
}
