package org.iommu4j.amdvi.model;

import static org.iommu4j.amdvi.layout.VirtualFunction.COMMAND_HEAD;
import static org.iommu4j.amdvi.layout.VirtualFunction.COMMAND_TAIL;
import static org.iommu4j.amdvi.layout.VirtualFunction.STATUS;

import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.PrivateSpace;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Layout;
import org.iommu4j.core.memory.PhysicalMemory;

/**
 * The command buffers of guests: a guest's ids are replaced by the host's, then the command is
 * carried out like one of the host. Command lock held.
 *
 * <p>Inferred: a guest may have carried out what is about its own devices and domains. That leaves
 * out PREFETCH_IOMMU_PAGES and INVALIDATE_IOMMU_ALL, whose features are not among those that AMD's
 * series for Linux announces to guests (GTSup, GIOSup, PPRSup and sizes: amd_iommu_build_efr), and
 * the two commands about guests; in a guest's buffer they are illegal. Errors are as of the unit's
 * own buffer, in the guest's log.
 */
final class GuestCommands {
  private static final long CMD = EventRecord.V_CMD.mask();

  private final AmdviIommu unit;
  private final GuestAccess access;
  private final GuestLogs logs;

  GuestCommands(AmdviIommu unit, GuestAccess access, GuestLogs logs) {
    this.unit = unit;
    this.access = access;
    this.logs = logs;
  }

  /** Executes what is queued, at most so many commands; tells how many it were. */
  int run(GuestIommu g, int most) {
    int executed = 0;
    while (executed < most && step(g)) {
      executed++;
    }
    return executed;
  }

  private boolean step(GuestIommu g) {
    long at;
    long next;
    long first;
    long second;
    boolean waits;
    synchronized (unit.state()) {
      waits = g.waits;
      long size = GuestRing.COMMANDS.bytes(g.control);
      long head = g.page.get(COMMAND_HEAD) & size - 1;
      long tail = g.page.get(COMMAND_TAIL) & size - 1;
      if (!unit.setup().virtualCommands
          || !g.runs(Registers.CMD_BUF_RUN)
          || (head == tail && !waits)) {
        return false;
      }
      next = (head + Command.BYTES) & size - 1;
      at = GuestRing.COMMANDS.address(g.control, head);
      if (waits) {
        first = g.waitFirst;
        second = g.waitSecond;
      } else {
        if (!access.entry(g, GuestRing.COMMANDS, head, false, CMD)
            || !access.usable(access.pa, false)) {
          halt(g, Reason.COMMAND_HARDWARE, at);
          return false;
        }
        PhysicalMemory memory = unit.host().memory();
        first = memory.readLong(access.pa);
        second = memory.readLong(access.pa + 8);
      }
    }
    CommandBuffer.Result result =
        waits ? completionWait(g, first, second) : execute(g, first, second, at);
    synchronized (unit.state()) {
      return switch (result) {
        case STAYS -> false;
        case ILLEGAL -> halt(g, Reason.ILLEGAL_COMMAND, at);
        case STOPPED -> {
          g.page.post(STATUS, Registers.CMD_BUF_RUN, 0);
          yield false;
        }
        case FAILED -> {
          g.page.post(COMMAND_HEAD, next);
          yield halt(g, Reason.COMMAND_HARDWARE, at);
        }
        case DONE -> {
          g.page.post(COMMAND_HEAD, next);
          yield true;
        }
      };
    }
  }

  /** The buffer stops; the guest repairs it and has it started again. */
  private boolean halt(GuestIommu g, Reason reason, long at) {
    g.page.post(STATUS, Registers.CMD_BUF_RUN, 0);
    logs.event(g, EventRecord.CODE.of(reason.code()) | reason.flags(), at);
    return false;
  }

  private CommandBuffer.Result execute(GuestIommu g, long first, long second, long at) {
    int opcode = Command.OPCODE.getInt(first);
    Layout layout = Command.layout(opcode);
    if (layout == null
        || (first & layout.reservedMask(0)) != 0
        || (second & layout.reservedMask(1)) != 0) {
      return CommandBuffer.Result.ILLEGAL;
    }
    return switch (opcode) {
      case Command.COMPLETION_WAIT -> completionWait(g, first, second);
      case Command.INVALIDATE_IOMMU_PAGES -> {
        int domain;
        synchronized (unit.state()) {
          domain = access.hostDomain(g, Command.DOMAIN_ID.getInt(first));
        }
        yield domain == GuestAccess.NOT_MAPPED
            ? CommandBuffer.Result.STOPPED
            : unit.commands().execute(Command.DOMAIN_ID.set(first, domain), second, at);
      }
      case Command.INVALIDATE_DEVTAB_ENTRY,
          Command.INVALIDATE_IOTLB_PAGES,
          Command.INVALIDATE_INTERRUPT_TABLE,
          Command.COMPLETE_PPR_REQUEST -> {
        int device;
        synchronized (unit.state()) {
          device = access.hostDevice(g, Command.DEVICE_ID.getInt(first));
        }
        yield device == GuestAccess.NOT_MAPPED
            ? CommandBuffer.Result.STOPPED
            : unit.commands().execute(Command.DEVICE_ID.set(first, device), second, at);
      }
      default -> CommandBuffer.Result.ILLEGAL;
    };
  }

  private CommandBuffer.Result completionWait(GuestIommu g, long first, long second) {
    boolean waits = unit.commands().awaitsDevices();
    synchronized (unit.state()) {
      g.waits = waits;
      g.waitFirst = first;
      g.waitSecond = second;
    }
    if (waits) {
      return CommandBuffer.Result.STAYS;
    }
    unit.drain();
    // With the state lock no record is being written into a guest's log, see VirtualIommus.settle.
    synchronized (unit.state()) {
      if (Command.S_STORE.isSet(first)) {
        long address = Command.STORE_ADDRESS.in(first);
        if (!access.guest(g, address, true, CMD) || !unit.commands().store(access.pa, second)) {
          return CommandBuffer.Result.FAILED;
        }
      }
      if (Command.I.isSet(first)) {
        logs.raise(g, Registers.COM_WAIT_INT, PrivateSpace.INTERRUPT_EVENT);
      }
    }
    return CommandBuffer.Result.DONE;
  }
}
