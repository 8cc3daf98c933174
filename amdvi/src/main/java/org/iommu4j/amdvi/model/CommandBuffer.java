package org.iommu4j.amdvi.model;

import static org.iommu4j.amdvi.layout.Registers.COMMAND_BUFFER;
import static org.iommu4j.amdvi.layout.Registers.COMMAND_HEAD;
import static org.iommu4j.amdvi.layout.Registers.COMMAND_TAIL;
import static org.iommu4j.amdvi.layout.Registers.STATUS;

import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Layout;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.AtsInvalidation;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.PageResponse;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.core.unit.InvalidationTags;
import org.jspecify.annotations.Nullable;

/**
 * The command buffer. 48882, "Commands". Everything here runs with the command lock held and takes
 * the state lock only for moments: a COMPLETION_WAIT waits for devices' accesses, and those may
 * report faults meanwhile.
 *
 * <p>Choice: commands are executed in order, one after the other.
 */
final class CommandBuffer {
  /** What execution of a command came to. */
  enum Result {
    DONE,
    ILLEGAL,
    /** A store failed. */
    FAILED,
    /** Stays at the head until devices have answered. */
    STAYS,
    /** Of a guest's: an error of the host's tables, which the host was told. */
    STOPPED
  }

  private final AmdviIommu unit;
  private final InvalidationTags tags;
  private final long[] commandOfTag;
  private final Invalidation invalidation;

  /** A COMPLETION_WAIT waits at the head. It was fetched once. */
  private boolean waits;

  private long waitFirst;
  private long waitSecond;

  CommandBuffer(AmdviIommu unit, Invalidation invalidation) {
    this.unit = unit;
    this.tags = new InvalidationTags(unit.config().itags());
    this.commandOfTag = new long[unit.config().itags()];
    this.invalidation = invalidation;
  }

  /** CmdBufRun went to 0. */
  void stopped() {
    waits = false;
  }

  /** Executes what is queued, at most so many commands; tells how many it were. */
  int run(int most) {
    int executed = 0;
    while (executed < most && step()) {
      executed++;
    }
    return executed;
  }

  private boolean step() {
    RegisterFile r = unit.registers();
    long at;
    long next;
    synchronized (unit.state()) {
      long base = r.get(COMMAND_BUFFER);
      long size = Ring.bytes(base);
      long head = r.get(COMMAND_HEAD) & size - 1;
      long tail = r.get(COMMAND_TAIL) & size - 1;
      if (r.get(STATUS, Registers.CMD_BUF_RUN) == 0 || (head == tail && !waits)) {
        return false;
      }
      at = Ring.address(base, head);
      next = (head + Command.BYTES) & size - 1;
    }
    Result result;
    if (waits) {
      result = completionWait(waitFirst, waitSecond);
    } else {
      PhysicalMemory memory = unit.host().memory();
      if (memory.isDevice(at) || memory.status(at, Command.BYTES, false) != PhysicalMemory.OK) {
        halt(Reason.COMMAND_HARDWARE, at);
        return false;
      }
      result = execute(memory.readLong(at), memory.readLong(at + 8), at);
    }
    switch (result) {
      case STAYS -> {
        return false;
      }
      case ILLEGAL -> {
        halt(Reason.ILLEGAL_COMMAND, at);
        return false;
      }
      default -> {
        synchronized (unit.state()) {
          r.post(COMMAND_HEAD, next);
        }
        if (result == Result.FAILED) {
          halt(Reason.COMMAND_HARDWARE, at);
          return false;
        }
      }
    }
    return true;
  }

  /** The buffer stops; software repairs it and starts it again. */
  private void halt(Reason reason, long at) {
    synchronized (unit.state()) {
      unit.registers().post(STATUS, Registers.CMD_BUF_RUN, 0);
      unit.eventLog().command(reason, at);
    }
  }

  /** Whether devices have not yet answered invalidations. */
  boolean awaitsDevices() {
    return tags.anyBusy();
  }

  /** Executes a command of the buffer, or one of a guest that is translated. */
  Result execute(long first, long second, long at) {
    int opcode = Command.OPCODE.getInt(first);
    Layout layout = Command.layout(opcode);
    if (layout == null
        || (first & layout.reservedMask(0)) != 0
        || (second & layout.reservedMask(1)) != 0) {
      return Result.ILLEGAL;
    }
    Setup s = unit.setup();
    unit.counters().command(s, opcode);
    UnitConfig c = unit.config();
    switch (opcode) {
      case Command.COMPLETION_WAIT -> {
        return completionWait(first, second);
      }
      case Command.INVALIDATE_DEVTAB_ENTRY -> {
        int id = Command.DEVICE_ID.getInt(first);
        synchronized (unit.state()) {
          unit.eventLog().forget(id);
        }
        invalidation.device(id);
      }
      case Command.INVALIDATE_IOMMU_PAGES -> {
        return pages(first, second);
      }
      case Command.INVALIDATE_IOTLB_PAGES -> {
        return iotlb(first, second, at);
      }
      case Command.INVALIDATE_INTERRUPT_TABLE ->
          unit.interrupts().invalidate(Command.DEVICE_ID.getInt(first));
      case Command.PREFETCH_IOMMU_PAGES -> {
        // A hint, and nothing follows from it here.
        return c.has(ExtendedFeatures.PREF_SUP) ? Result.DONE : Result.ILLEGAL;
      }
      case Command.COMPLETE_PPR_REQUEST -> {
        return respond(first, second);
      }
      case Command.INSERT_GUEST_EVENT, Command.RESET_VMMIO -> {
        return guest(opcode, first);
      }
      default -> {
        if (!c.has(ExtendedFeatures.IA_SUP)) {
          return Result.ILLEGAL;
        }
        synchronized (unit.state()) {
          unit.eventLog().forgetAll();
        }
        invalidation.everything();
        unit.interrupts().invalidateAll();
      }
    }
    return Result.DONE;
  }

  private Result guest(int opcode, long first) {
    if (!unit.config().has(ExtendedFeatures.VIOMMU_SUP)) {
      return Result.ILLEGAL;
    }
    if (opcode == Command.RESET_VMMIO) {
      unit.virtual().reset(first);
    } else {
      unit.virtual().insertEvent(first);
    }
    return Result.DONE;
  }

  private Result pages(long first, long second) {
    int domain = Command.DOMAIN_ID.getInt(first);
    boolean pointers = Command.PDE.isSet(second);
    if (!Command.GN.isSet(second)) {
      if (Command.PASID.isSet(first)) {
        return Result.ILLEGAL; // the field belongs to guest addresses
      }
      invalidation.hostPages(domain, second, pointers);
      return Result.DONE;
    }
    if (!unit.config().has(ExtendedFeatures.GT_SUP)) {
      return Result.ILLEGAL;
    }
    invalidation.guestPages(domain, Command.PASID.getInt(first), second, pointers);
    return Result.DONE;
  }

  private Result iotlb(long first, long second, long at) {
    UnitConfig c = unit.config();
    boolean type = Command.TYPE.isSet(second) && !c.has(ExtendedFeatures.INV_IOTLB_TYPE_SUP);
    if (!c.deviceIotlbs() || type) {
      return Result.ILLEGAL;
    }
    int tag = tags.free();
    if (tag < 0) {
      return Result.STAYS; // until a completion or a timeout frees one
    }
    int pasid = Command.GN.isSet(second) ? Command.iotlbPasid(first) : DmaRequest.NO_PASID;
    // The message has S at bit 11.
    long payload = Command.ADDRESS.in(second) | (Command.S.isSet(second) ? 1L << 11 : 0);
    AtsInvalidation request =
        new AtsInvalidation(Command.DEVICE_ID.getInt(first), false, pasid, tag, payload);
    tags.start(request);
    commandOfTag[tag] = at;
    unit.host().ats().invalidate(request);
    return Result.DONE;
  }

  private Result respond(long first, long second) {
    if (!unit.config().has(ExtendedFeatures.PPR_SUP)) {
      return Result.ILLEGAL;
    }
    int pasid = Command.GN.isSet(second) ? Command.PPR_PASID.getInt(first) : DmaRequest.NO_PASID;
    int group = Command.PPR_TAG.getInt(second);
    unit.host()
        .ats()
        .respond(
            new PageResponse(
                Command.DEVICE_ID.getInt(first),
                false,
                pasid,
                group,
                Command.PPR_CODE.getInt(second),
                (long) group << 3));
    return Result.DONE;
  }

  private Result completionWait(long first, long second) {
    // 1. Devices' IOTLBs have answered.
    waits = tags.anyBusy();
    if (waits) {
      waitFirst = first;
      waitSecond = second;
      return Result.STAYS;
    }
    // 2. No access and no message that used what was invalidated is in flight.
    unit.drain();
    unit.virtual().settle();
    // 3. Completion is reported.
    if (Command.S_STORE.isSet(first) && !store(Command.STORE_ADDRESS.in(first), second)) {
      return Result.FAILED;
    }
    if (Command.I.isSet(first)) {
      synchronized (unit.state()) {
        unit.signals().raise(Registers.COM_WAIT_INT, Signals.Source.COMPLETION_WAIT);
      }
    }
    return Result.DONE;
  }

  /** Stores what a COMPLETION_WAIT has to; false if nobody takes it. */
  boolean store(long at, long data) {
    PhysicalMemory memory = unit.host().memory();
    if (!withinWindow(at) || memory.isDevice(at)) {
      return false;
    }
    return memory.writeLong(at, data) == PhysicalMemory.OK;
  }

  /**
   * With SNP completions may be stored in a window alone: once software has set it, and on a system
   * that is SNP-enabled always. 48882, 2.12.2.2.
   */
  private boolean withinWindow(long at) {
    if (!unit.config().has(ExtendedFeatures.SNP_SUP)) {
      return true;
    }
    RegisterFile r = unit.registers();
    synchronized (unit.state()) {
      long first = Registers.EX_BASE.in(r.get(Registers.EXCLUSION_BASE));
      long last = r.get(Registers.EXCLUSION_LIMIT) | 0xfff;
      boolean unset = first == 0 && last == 0xfff && unit.setup().rmp == null;
      return unset || (first <= at && at <= last);
    }
  }

  boolean completed(int source, boolean segmented, int tagVector, int count) {
    return tags.complete(source, segmented, tagVector, count);
  }

  /**
   * Devices did not answer in time: that is logged, and commands go on. With Control.InvTimeOut = 0
   * the unit waits for as long as it takes.
   */
  void timedOut(int tagVector) {
    if (!unit.enabled(Control.INV_TIME_OUT)) {
      return;
    }
    for (int tag = 0; tag < commandOfTag.length; tag++) {
      if ((tagVector >>> tag & 1) == 0) {
        continue;
      }
      tags.timeOut(1 << tag);
      @Nullable AtsInvalidation late = tags.takeTimeout();
      if (late != null) {
        synchronized (unit.state()) {
          unit.eventLog().timeout(late.source(), commandOfTag[tag]);
        }
      }
    }
  }
}
