package org.iommu4j.riscv.model;

import static org.iommu4j.riscv.layout.Registers.BE;
import static org.iommu4j.riscv.layout.Registers.CIE;
import static org.iommu4j.riscv.layout.Registers.CIP;
import static org.iommu4j.riscv.layout.Registers.CIV;
import static org.iommu4j.riscv.layout.Registers.CMD_ILL;
import static org.iommu4j.riscv.layout.Registers.CMD_TO;
import static org.iommu4j.riscv.layout.Registers.CQB;
import static org.iommu4j.riscv.layout.Registers.CQCSR;
import static org.iommu4j.riscv.layout.Registers.CQEN;
import static org.iommu4j.riscv.layout.Registers.CQH;
import static org.iommu4j.riscv.layout.Registers.CQMF;
import static org.iommu4j.riscv.layout.Registers.CQON;
import static org.iommu4j.riscv.layout.Registers.CQT;
import static org.iommu4j.riscv.layout.Registers.CQ_BUSY;
import static org.iommu4j.riscv.layout.Registers.CYCLES_COUNTER;
import static org.iommu4j.riscv.layout.Registers.CYCLES_OF;
import static org.iommu4j.riscv.layout.Registers.DDTP;
import static org.iommu4j.riscv.layout.Registers.DDTP_PPN;
import static org.iommu4j.riscv.layout.Registers.EVENT_ID;
import static org.iommu4j.riscv.layout.Registers.FCTL;
import static org.iommu4j.riscv.layout.Registers.FENCE_W_IP;
import static org.iommu4j.riscv.layout.Registers.FIE;
import static org.iommu4j.riscv.layout.Registers.FIP;
import static org.iommu4j.riscv.layout.Registers.FIV;
import static org.iommu4j.riscv.layout.Registers.FQB;
import static org.iommu4j.riscv.layout.Registers.FQCSR;
import static org.iommu4j.riscv.layout.Registers.FQEN;
import static org.iommu4j.riscv.layout.Registers.FQH;
import static org.iommu4j.riscv.layout.Registers.FQMF;
import static org.iommu4j.riscv.layout.Registers.FQOF;
import static org.iommu4j.riscv.layout.Registers.FQON;
import static org.iommu4j.riscv.layout.Registers.FQT;
import static org.iommu4j.riscv.layout.Registers.FQ_BUSY;
import static org.iommu4j.riscv.layout.Registers.GO_BUSY;
import static org.iommu4j.riscv.layout.Registers.GXL;
import static org.iommu4j.riscv.layout.Registers.ICVEC;
import static org.iommu4j.riscv.layout.Registers.IOCOUNTINH;
import static org.iommu4j.riscv.layout.Registers.IOCOUNTOVF;
import static org.iommu4j.riscv.layout.Registers.IOHPMCTR;
import static org.iommu4j.riscv.layout.Registers.IOHPMCYCLES;
import static org.iommu4j.riscv.layout.Registers.IOHPMEVT;
import static org.iommu4j.riscv.layout.Registers.IOMMU_MODE;
import static org.iommu4j.riscv.layout.Registers.IOMMU_QOSID;
import static org.iommu4j.riscv.layout.Registers.IPSR;
import static org.iommu4j.riscv.layout.Registers.MODE_BARE;
import static org.iommu4j.riscv.layout.Registers.MODE_OFF;
import static org.iommu4j.riscv.layout.Registers.MSI_ADDR;
import static org.iommu4j.riscv.layout.Registers.MSI_DATA;
import static org.iommu4j.riscv.layout.Registers.MSI_MASK;
import static org.iommu4j.riscv.layout.Registers.MSI_VEC_CTL;
import static org.iommu4j.riscv.layout.Registers.OF;
import static org.iommu4j.riscv.layout.Registers.PIE;
import static org.iommu4j.riscv.layout.Registers.PIP;
import static org.iommu4j.riscv.layout.Registers.PIV;
import static org.iommu4j.riscv.layout.Registers.PMIV;
import static org.iommu4j.riscv.layout.Registers.PQB;
import static org.iommu4j.riscv.layout.Registers.PQCSR;
import static org.iommu4j.riscv.layout.Registers.PQEN;
import static org.iommu4j.riscv.layout.Registers.PQH;
import static org.iommu4j.riscv.layout.Registers.PQMF;
import static org.iommu4j.riscv.layout.Registers.PQOF;
import static org.iommu4j.riscv.layout.Registers.PQON;
import static org.iommu4j.riscv.layout.Registers.PQT;
import static org.iommu4j.riscv.layout.Registers.PQ_BUSY;
import static org.iommu4j.riscv.layout.Registers.QUEUE_PPN;
import static org.iommu4j.riscv.layout.Registers.TR_REQ_CTL;
import static org.iommu4j.riscv.layout.Registers.TR_REQ_IOVA;
import static org.iommu4j.riscv.layout.Registers.TR_RESPONSE;
import static org.iommu4j.riscv.layout.Registers.WSI;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Registers;

/**
 * The registers that a unit has, given its configuration, with what a write to each makes stick and
 * causes. §6. Effects run with the command lock and the state lock held; what needs to run without
 * the state lock is left to {@link RiscvIommu} as a pending action.
 */
final class RegisterBank {
  private final RiscvIommu unit;
  private final UnitConfig config;
  private final RegisterFile file = new RegisterFile(Registers.BYTES);
  private final long addressMask;

  private RegisterBank(RiscvIommu unit) {
    this.unit = unit;
    this.config = unit.config();
    this.addressMask = (1L << Capabilities.PAS.getInt(config.capabilities())) - 1;
  }

  static RegisterFile create(RiscvIommu unit) {
    RegisterBank bank = new RegisterBank(unit);
    bank.control();
    bank.queues();
    bank.interrupts();
    if (bank.config.has(Capabilities.HPM)) {
      bank.monitor();
    }
    if (bank.config.has(Capabilities.DBG)) {
      bank.debug();
    }
    if (bank.config.has(Capabilities.QOSID)) {
      bank.file.add(IOMMU_QOSID, 0, (b, w) -> w & bank.config.qosidMask(), null, null);
    }
    return bank.file;
  }

  private void control() {
    file.add(Capabilities.REGISTER, config.capabilities());
    file.add(
        FCTL,
        config.fctl(),
        this::legalFctl,
        (b, a, w) -> {
          unit.refresh();
          if (WSI.isSet(a ^ b)) {
            unit.interrupts().modeChanged();
          }
        },
        null);
    file.add(
        DDTP,
        IOMMU_MODE.of(config.resetMode()),
        this::legalDdtp,
        (b, a, w) -> {
          if (a != b) {
            unit.page().directoryChanged();
          }
        },
        null);
  }

  /** Choice: refused unless ddtp is Off and all queues are off. */
  private long legalFctl(long before, long written) {
    boolean inUse =
        file.get(DDTP, IOMMU_MODE) != MODE_OFF
            || ((file.get(CQCSR) & (CQEN.mask() | CQON.mask()))
                    | (file.get(FQCSR) & (FQEN.mask() | FQON.mask()))
                    | (file.get(PQCSR) & (PQEN.mask() | PQON.mask())))
                != 0;
    if (inUse) {
      return before;
    }
    long writable =
        (config.beWritable() && config.has(Capabilities.END) ? BE.mask() : 0)
            | (config.wsiWritable() ? WSI.mask() : 0)
            | (config.gxlWritable() ? GXL.mask() : 0);
    return (before & ~writable) | (written & writable);
  }

  /**
   * Choice: a write with an unsupported mode, or from one directory depth to another, is dropped as
   * a whole; the same depth with another root is taken.
   */
  private long legalDdtp(long before, long written) {
    long from = IOMMU_MODE.get(before);
    long to = IOMMU_MODE.get(written);
    boolean throughOffOrBare = from <= MODE_BARE || to <= MODE_BARE;
    if (to > config.maxMode() || (!throughOffOrBare && from != to)) {
      return before;
    }
    return DDTP_PPN.set(written, DDTP_PPN.get(written) & addressMask >>> 12);
  }

  private void queues() {
    queue(CQB, CQCSR, CQON, CQ_BUSY, CQT);
    file.add(CQH, 0);
    file.add(
        CQT, 0, (b, w) -> w & Queue.mask(file.get(CQB)), (b, a, w) -> unit.page().runLater(), null);
    file.add(
        CQCSR, 0, (b, w) -> CQ_BUSY.isSet(b) ? b : w, (b, a, w) -> commandQueueControl(b), null);
    queue(FQB, FQCSR, FQON, FQ_BUSY, FQH);
    file.add(FQH, 0, (b, w) -> w & Queue.mask(file.get(FQB)), null, null);
    file.add(FQT, 0);
    file.add(
        FQCSR,
        0,
        null,
        (b, a, w) -> control(FQCSR, b, FQEN, FQON, FQT, FQMF.mask() | FQOF.mask(), FIE, FIP),
        null);
    if (!config.has(Capabilities.ATS)) {
      return;
    }
    queue(PQB, PQCSR, PQON, PQ_BUSY, PQH);
    file.add(PQH, 0, (b, w) -> w & Queue.mask(file.get(PQB)), null, null);
    file.add(PQT, 0);
    file.add(
        PQCSR,
        0,
        null,
        (b, a, w) -> control(PQCSR, b, PQEN, PQON, PQT, PQMF.mask() | PQOF.mask(), PIE, PIP),
        null);
  }

  /**
   * Choice: the base of a queue that is on is not changed; a new base sets software's index to 0.
   */
  private void queue(Register base, Register csr, Field on, Field busy, Register index) {
    file.add(
        base,
        0,
        (b, w) ->
            inUse(csr, on, busy) ? b : QUEUE_PPN.set(w, QUEUE_PPN.get(w) & addressMask >>> 12),
        (b, a, w) -> {
          if (!inUse(csr, on, busy)) {
            file.post(index, 0);
          }
        },
        null);
  }

  private boolean inUse(Register csr, Field on, Field busy) {
    return file.get(csr, on) != 0 || file.get(csr, busy) != 0;
  }

  private void commandQueueControl(long before) {
    if (CQ_BUSY.isSet(before)) {
      return;
    }
    long errors = CQMF.mask() | CMD_TO.mask() | CMD_ILL.mask() | FENCE_W_IP.mask();
    boolean turnedOff = CQEN.isSet(before) && file.get(CQCSR, CQEN) == 0;
    if (turnedOff && unit.commandQueue().fenceWaits()) {
      file.post(CQCSR, CQ_BUSY, 1); // on until the fence ends
    } else {
      control(CQCSR, before, CQEN, CQON, CQH, errors, CIE, CIP);
    }
    unit.page().runLater();
  }

  /** What a write to the control register of a queue does beyond its fields' kinds. §6.15 to 17. */
  private void control(
      Register csr,
      long before,
      Field enable,
      Field on,
      Register index,
      long errors,
      Field interruptEnable,
      Field pending) {
    long now = file.get(csr);
    if (!enable.isSet(before) && enable.isSet(now)) {
      file.post(index, 0);
      now = on.set(now & ~errors, 1);
      file.post(csr, now);
    } else if (enable.isSet(before) && !enable.isSet(now)) {
      now = on.set(now, 0);
      file.post(csr, now);
    }
    if (interruptEnable.isSet(now) && (now & errors) != 0) {
      unit.interrupts().raise(pending);
    }
  }

  private void interrupts() {
    file.add(IPSR, 0, null, (b, a, w) -> acknowledged(b & ~a), null);
    int bits = config.vectorBits();
    long one = (1L << bits) - 1;
    long vectors =
        CIV.of(one)
            | FIV.of(one)
            | (config.has(Capabilities.HPM) ? PMIV.of(one) : 0)
            | (config.has(Capabilities.ATS) ? PIV.of(one) : 0);
    file.add(ICVEC, 0, (b, w) -> w & vectors, (b, a, w) -> unit.interrupts().driveWires(), null);
    if (Capabilities.IGS.getInt(config.capabilities()) == Capabilities.IGS_WSI) {
      return;
    }
    for (int v = 0; v < 1 << bits; v++) {
      int vector = v;
      file.add(MSI_ADDR.get(v), 0, (b, w) -> w & addressMask, null, null);
      file.add(MSI_DATA.get(v), 0);
      file.add(
          MSI_VEC_CTL.get(v),
          0,
          null,
          (b, a, w) -> {
            if (MSI_MASK.isSet(b) && !MSI_MASK.isSet(a)) {
              unit.interrupts().unmasked(vector);
            }
          },
          null);
    }
  }

  /** Bits of ipsr went to 0: those whose condition still holds come back at once. §6.18. */
  private void acknowledged(long cleared) {
    if (CIP.isSet(cleared)) {
      again(CQCSR, CIE, CQMF.mask() | CMD_TO.mask() | CMD_ILL.mask() | FENCE_W_IP.mask(), CIP);
    }
    if (FIP.isSet(cleared)) {
      again(FQCSR, FIE, FQMF.mask() | FQOF.mask(), FIP);
    }
    if (PIP.isSet(cleared)) {
      again(PQCSR, PIE, PQMF.mask() | PQOF.mask(), PIP);
    }
    unit.interrupts().driveWires();
  }

  private void again(Register csr, Field enable, long errors, Field pending) {
    long now = file.get(csr);
    if (enable.isSet(now) && (now & errors) != 0) {
      unit.interrupts().raise(pending);
    }
  }

  private void monitor() {
    PerformanceMonitor m = unit.monitor();
    int n = m.implemented();
    long implemented = (2L << n) - 1;
    file.add(IOCOUNTOVF, 0, null, null, stored -> overflows());
    file.add(IOCOUNTINH, 0, (b, w) -> w & implemented, (b, a, w) -> unit.refresh(), null);
    file.add(
        IOHPMCYCLES,
        0,
        (b, w) -> w & (m.cyclesMask() | CYCLES_OF.mask()),
        (b, a, w) -> m.setCycles(CYCLES_COUNTER.get(a)),
        stored -> CYCLES_OF.in(stored) | (m.cycles() & m.cyclesMask()));
    for (int i = 0; i < n; i++) {
      int counter = i;
      file.add(
          IOHPMCTR.get(i),
          0,
          (b, w) -> w & m.mask(),
          (b, a, w) -> m.set(counter, a),
          stored -> m.get(counter));
      file.add(
          IOHPMEVT.get(i),
          0,
          (b, w) -> EVENT_ID.get(w) > config.eventLimit() ? EVENT_ID.set(w, EVENT_ID.get(b)) : w,
          (b, a, w) -> unit.refresh(),
          null);
    }
  }

  private long overflows() {
    long bits = file.get(IOHPMCYCLES, CYCLES_OF);
    for (int i = 0; i < config.counters(); i++) {
      bits |= file.get(IOHPMEVT.get(i), OF) << (i + 1);
    }
    return bits;
  }

  private void debug() {
    // Go/Busy is never seen set: the translation is done when the write returns.
    file.add(TR_REQ_IOVA, 0);
    file.add(
        TR_REQ_CTL,
        0,
        null,
        (b, a, w) -> {
          if (GO_BUSY.isSet(a)) {
            unit.page().debugLater();
          }
        },
        null);
    file.add(TR_RESPONSE, 0);
  }
}
