package org.iommu4j.riscv.model;

import static org.iommu4j.riscv.layout.Registers.CIE;
import static org.iommu4j.riscv.layout.Registers.CIP;
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
import static org.iommu4j.riscv.layout.Registers.FENCE_W_IP;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.unit.InvalidationTags;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Command;
import org.iommu4j.riscv.layout.Registers;

/**
 * The command queue. §4.1. Everything here runs with the command lock held and takes the state lock
 * only for moments: a fence waits for devices' accesses, and those may report faults meanwhile.
 */
final class CommandQueue {
  /** What execution of a command came to. */
  private enum Result {
    DONE,
    ILLEGAL,
    /** Stays at the head: the queue stopped, or waits for devices. */
    STAYS
  }

  /**
   * Commands executed per register access, at most: a guest that fills gigabytes with commands must
   * not stop its host for longer (65,536 x about 1 us). The rest follows with the next access.
   */
  private static final int BATCH = 1 << 16;

  private static final long IODIR_RESERVED = Command.IODIR_LAYOUT.reservedMask(0);
  private static final long ATS_RESERVED = Command.ATS_LAYOUT.reservedMask(0);
  private static final long FENCE_RESERVED = Command.IOFENCE_LAYOUT.reservedMask(0);
  private static final long FENCE_RESERVED_1 = Command.IOFENCE_LAYOUT.reservedMask(1);
  private static final long INVAL_RESERVED = Command.IOTINVAL_LAYOUT.reservedMask(0);
  private static final long INVAL_RESERVED_1 = Command.IOTINVAL_LAYOUT.reservedMask(1);

  private final RiscvIommu unit;
  private final InvalidationTags tags;
  private final Invalidation invalidation;

  /**
   * A fence waits at the head for invalidation completions. It was fetched once: what a guest does
   * to its memory meanwhile changes nothing.
   */
  private boolean fenceWaits;

  private long fenceFirst;
  private long fenceSecond;

  private boolean running;

  CommandQueue(RiscvIommu unit) {
    this.unit = unit;
    this.tags = new InvalidationTags(unit.config().itags());
    this.invalidation = new Invalidation(unit);
  }

  /** Whether turning the queue off has to wait for a fence. */
  boolean fenceWaits() {
    return fenceWaits;
  }

  /** Executes what is queued. */
  void run() {
    if (running) {
      return; // a device answered at once, from inside a command: the loop goes on anyway
    }
    running = true;
    try {
      execute();
    } finally {
      running = false;
    }
  }

  private void execute() {
    RegisterFile r = unit.registers();
    PhysicalMemory memory = unit.host().memory();
    for (int i = 0; i < BATCH; i++) {
      Queue queue;
      long head;
      synchronized (unit.state()) {
        long csr = r.get(CQCSR);
        // A fence at the head is finished even while the queue is being turned off.
        boolean on = CQON.isSet(csr) && (CQEN.isSet(csr) || fenceWaits);
        if (!on || CQMF.isSet(csr) || CMD_TO.isSet(csr) || CMD_ILL.isSet(csr)) {
          return;
        }
        queue = Queue.of(r.get(CQB), Command.BYTES);
        head = r.get(CQH);
        if (head == r.get(CQT) && !fenceWaits) {
          return;
        }
      }
      Result result;
      if (fenceWaits) {
        result = iofence(fenceFirst, fenceSecond);
      } else {
        long at = queue.address(head);
        if ((at & unit.setup().beyond) != 0
            || memory.status(at, Command.BYTES, false) != PhysicalMemory.OK) {
          stop(CQMF);
          return;
        }
        long first = memory.readLong(at);
        long second = memory.readLong(at + 8);
        if (unit.setup().be) {
          first = Long.reverseBytes(first);
          second = Long.reverseBytes(second);
        }
        result = execute(first, second);
      }
      if (result == Result.ILLEGAL) {
        stop(CMD_ILL);
        return;
      }
      if (result == Result.STAYS) {
        return;
      }
      synchronized (unit.state()) {
        r.post(CQH, queue.next(head));
        finishTurningOff(r);
      }
    }
  }

  /** cqen went to 0 while a fence waited: now the queue is off. */
  private void finishTurningOff(RegisterFile r) {
    if (r.get(CQCSR, CQEN) == 0 && r.get(CQCSR, CQON) != 0 && !fenceWaits) {
      r.post(CQCSR, CQON, 0);
      r.post(CQCSR, CQ_BUSY, 0);
    }
  }

  private void stop(Field error) {
    synchronized (unit.state()) {
      RegisterFile r = unit.registers();
      r.post(CQCSR, error, 1);
      finishTurningOff(r);
      if (r.get(CQCSR, CIE) != 0) {
        unit.interrupts().raise(CIP);
      }
    }
  }

  private Result execute(long first, long second) {
    int func3 = Command.FUNC3.getInt(first);
    return switch (Command.OPCODE.getInt(first)) {
      case Command.IOTINVAL -> iotinval(func3, first, second);
      case Command.IOFENCE -> func3 == Command.FUNC3_C ? iofence(first, second) : Result.ILLEGAL;
      case Command.IODIR -> iodir(func3, first, second);
      case Command.ATS -> ats(func3, first, second);
      default -> Result.ILLEGAL;
    };
  }

  private Result iotinval(int func3, long first, long second) {
    boolean nl = unit.config().has(Capabilities.NL);
    boolean s = unit.config().has(Capabilities.S);
    if ((first & INVAL_RESERVED) != 0
        || (second & INVAL_RESERVED_1) != 0
        || (!nl && Command.NL.isSet(first))
        || (!s && Command.S.isSet(second))) {
      return Result.ILLEGAL;
    }
    switch (func3) {
      case Command.FUNC3_VMA -> invalidation.vma(first, second);
      case Command.FUNC3_GVMA -> {
        if (Command.PSCV.isSet(first)) {
          return Result.ILLEGAL;
        }
        invalidation.gvma(first, second);
      }
      default -> {
        return Result.ILLEGAL;
      }
    }
    unit.cachesChanged();
    return Result.DONE;
  }

  private Result iodir(int func3, long first, long second) {
    boolean dv = Command.DV.isSet(first);
    int did = Command.DID.getInt(first);
    int pid = Command.PID.getInt(first);
    if ((first & IODIR_RESERVED) != 0 || second != 0 || (dv && tooWide(did))) {
      return Result.ILLEGAL;
    }
    if (func3 == Command.FUNC3_INVAL_DDT) {
      if (pid != 0) {
        return Result.ILLEGAL;
      }
      if (dv) {
        unit.contexts().invalidateDevice(did);
      } else {
        unit.contexts().invalidateAll();
      }
      unit.cachesChanged();
      return Result.DONE;
    }
    if (func3 != Command.FUNC3_INVAL_PDT || !dv || pid >>> processBits() != 0) {
      return Result.ILLEGAL;
    }
    unit.contexts().invalidateProcess(did, pid);
    unit.cachesChanged();
    return Result.DONE;
  }

  private boolean tooWide(int deviceId) {
    Setup s = unit.setup();
    // Choice: without a directory (Off, Bare) the deepest one that the unit supports counts.
    return s.mode >= Registers.MODE_1LVL ? s.tooWide(deviceId) : deepest().tooWide(deviceId);
  }

  private Setup deepest() {
    return new Setup(
        unit.host().memory(),
        unit.config(),
        Registers.IOMMU_MODE.of(unit.config().maxMode()),
        0,
        false);
  }

  private int processBits() {
    UnitConfig c = unit.config();
    return c.has(Capabilities.PD20) ? 20 : c.has(Capabilities.PD17) ? 17 : 8;
  }

  private Result iofence(long first, long second) {
    boolean wsi = Command.WSI.isSet(first);
    if ((first & FENCE_RESERVED) != 0
        || (second & FENCE_RESERVED_1) != 0
        || (wsi && unit.registers().get(Registers.FCTL, Registers.WSI) == 0)) {
      return Result.ILLEGAL;
    }
    // 1. Everything before it is complete, device-side invalidations included.
    if (tags.anyBusy()) {
      fenceWaits = true;
      fenceFirst = first;
      fenceSecond = second;
      return Result.STAYS;
    }
    fenceWaits = false;
    // 2.
    if (tags.takeTimeout() != null) {
      stop(CMD_TO);
      return Result.STAYS;
    }
    // 3. No access that used what was invalidated is in flight. Stronger than PR and PW ask for,
    // and what makes completion mean what software takes it to mean.
    unit.windows().drain();
    // 4.
    if (Command.AV.isSet(first)) {
      long address = Command.FENCE_ADDR.get(second) << 2;
      int data = Command.DATA.getInt(first);
      int stored = unit.setup().be ? Integer.reverseBytes(data) : data;
      if ((address & unit.setup().beyond) != 0
          || unit.host().memory().postInt(address, stored) != PhysicalMemory.OK) {
        stop(CQMF);
        return Result.STAYS;
      }
    }
    // 5.
    if (wsi) {
      synchronized (unit.state()) {
        RegisterFile r = unit.registers();
        r.post(CQCSR, FENCE_W_IP, 1);
        if (r.get(CQCSR, CIE) != 0) {
          unit.interrupts().raise(CIP);
        }
      }
    }
    return Result.DONE;
  }

  private Result ats(int func3, long first, long second) {
    if (!unit.config().has(Capabilities.ATS)
        || (first & ATS_RESERVED) != 0
        || func3 > Command.FUNC3_PRGR) {
      return Result.ILLEGAL;
    }
    boolean segmented = Command.DSV.isSet(first);
    int source = Command.RID.getInt(first) | (segmented ? Command.DSEG.getInt(first) << 16 : 0);
    int pasid = Command.PV.isSet(first) ? Command.PID.getInt(first) : DmaRequest.NO_PASID;
    if (func3 == Command.FUNC3_PRGR) {
      unit.host()
          .ats()
          .respond(
              new PageResponse(
                  source,
                  segmented,
                  pasid,
                  Command.PRG_INDEX.getInt(second),
                  Command.PRG_CODE.getInt(second),
                  second));
      return Result.DONE;
    }
    int tag = tags.free();
    if (tag < 0) {
      // Choice: the command stays at the head until a completion or a timeout frees one.
      return Result.STAYS;
    }
    AtsInvalidation request = new AtsInvalidation(source, segmented, pasid, tag, second);
    tags.start(request);
    unit.host().ats().invalidate(request);
    return Result.DONE;
  }

  boolean completed(int source, boolean segmented, int tagVector, int count) {
    boolean accepted = tags.complete(source, segmented, tagVector, count);
    run();
    return accepted;
  }

  void timedOut(int tagVector) {
    tags.timeOut(tagVector);
    run();
  }
}
