package org.iommu4j.amdvi.model;

import static org.iommu4j.amdvi.layout.VirtualFunction.STATUS;
import static org.iommu4j.amdvi.layout.VirtualFunctionControl.EVENT_CONTROL;
import static org.iommu4j.amdvi.layout.VirtualFunctionControl.PPR_CONTROL;

import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.PrivateSpace;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.amdvi.layout.VirtualEventRecord;
import org.iommu4j.amdvi.layout.VirtualFunctionControl;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.memory.PhysicalMemory;

/**
 * What the unit tells guests: records into their event and PPR logs, and an interrupt. State lock
 * held. Full logs, second logs and status bits are as of the unit's own logs.
 */
final class GuestLogs {
  private enum Result {
    DONE,
    FULL,
    /** Its place could not be found or written; the host's log tells why. */
    FAILED
  }

  private final AmdviIommu unit;
  private final VirtualIommus owner;
  private final GuestAccess access;

  GuestLogs(AmdviIommu unit, VirtualIommus owner, GuestAccess access) {
    this.unit = unit;
    this.owner = owner;
    this.access = access;
  }

  /** Appends to the event log. */
  void event(GuestIommu g, long first, long second) {
    if (!g.runs(Registers.EVENT_LOG_RUN)) {
      return;
    }
    if (g.held) {
      // Inferred: there is room for one that waits, others are lost as in a full log.
      raise(g, Registers.EVENT_OVERFLOW, PrivateSpace.INTERRUPT_EVENT);
      return;
    }
    GuestRing ring = GuestRing.events(g.page);
    long flags = EventRecord.V_EVENT.mask();
    Result result = write(g, ring, first, second, flags);
    if (result == Result.FULL) {
      raise(
          g,
          ring.isSecond() ? Registers.EVENT_OVERFLOW_B : Registers.EVENT_OVERFLOW,
          PrivateSpace.INTERRUPT_EVENT);
      boolean swaps = g.control.get(EVENT_CONTROL, VirtualFunctionControl.DUAL_EVENT_LOG_EN) == 2;
      result = swaps ? write(g, ring.other(), first, second, flags) : result;
      if (result == Result.FULL) {
        g.page.post(STATUS, Registers.EVENT_LOG_RUN, 0);
        return;
      }
      g.page.post(STATUS, Registers.EVENT_LOG_ACTIVE, ring.isSecond() ? 0 : 1);
    }
    if (result == Result.FAILED) {
      hold(g, first, second);
    } else {
      raise(g, Registers.EVENT_LOG_INT, PrivateSpace.INTERRUPT_EVENT);
    }
  }

  /**
   * The log of a guest is not where its tables say. Inferred: the host gets a GUEST_EVENT_FAULT and
   * the unit keeps the record until INSERT_GUEST_EVENT, which names a guest and nothing else, has
   * it inserted.
   */
  private void hold(GuestIommu g, long first, long second) {
    g.held = true;
    g.heldFirst = first;
    g.heldSecond = second;
    unit.eventLog()
        .append(
            EventRecord.CODE.of(Reason.GUEST_EVENT.code())
                | VirtualEventRecord.GUEST_ID.of(g.id)
                | EventRecord.V_EVENT.mask(),
            0);
  }

  /** INSERT_GUEST_EVENT. */
  void insert(GuestIommu g) {
    if (g.held) {
      g.held = false;
      event(g, g.heldFirst, g.heldSecond);
    }
  }

  /** Appends to the PPR log; whether the log took the record. */
  boolean pageRequest(GuestIommu g, long first, long second) {
    if (!g.runs(Registers.PPR_LOG_RUN)) {
      return false;
    }
    GuestRing ring = GuestRing.pageRequests(g.page);
    Result result = write(g, ring, first, second, 0);
    if (result == Result.FULL) {
      raise(
          g,
          ring.isSecond() ? Registers.PPR_OVERFLOW_B : Registers.PPR_OVERFLOW,
          PrivateSpace.INTERRUPT_PPR);
      boolean swaps = g.control.get(PPR_CONTROL, VirtualFunctionControl.DUAL_PPR_LOG_EN) == 2;
      result = swaps ? write(g, ring.other(), first, second, 0) : result;
      if (result == Result.FULL) {
        g.page.post(STATUS, Registers.PPR_LOG_RUN, 0);
        return false;
      }
      g.page.post(STATUS, Registers.PPR_LOG_ACTIVE, ring.isSecond() ? 0 : 1);
    }
    if (result == Result.DONE) {
      raise(g, Registers.PPR_INT, PrivateSpace.INTERRUPT_PPR);
    }
    return result == Result.DONE;
  }

  private Result write(GuestIommu g, GuestRing ring, long first, long second, long flags) {
    long size = ring.bytes(g.control);
    long tail = g.page.get(ring.tail) & size - 1;
    long next = (tail + GuestRing.ENTRY) & size - 1;
    if (!ring.valid(g.control) || next == g.page.get(ring.head)) {
      return Result.FULL;
    }
    if (!access.entry(g, ring, tail, true, flags)) {
      return Result.FAILED;
    }
    if (!access.usable(access.pa, true)) {
      access.error(g, access.pa, flags);
      return Result.FAILED;
    }
    PhysicalMemory memory = unit.host().memory();
    memory.writeLong(access.pa, first);
    memory.writeLong(access.pa + 8, second);
    g.page.post(ring.tail, next);
    return Result.DONE;
  }

  /** Sets a status bit; an interrupt follows if it was clear and the guest wants it. */
  void raise(GuestIommu g, Field status, int type) {
    boolean was = g.page.get(STATUS, status) != 0;
    g.page.post(STATUS, status, 1);
    boolean wanted =
        type == PrivateSpace.INTERRUPT_PPR
            ? g.enabled(PPR_CONTROL, VirtualFunctionControl.PPR_INT_EN)
            : status.equals(Registers.COM_WAIT_INT)
                ? g.enabled(
                    VirtualFunctionControl.COMMAND_CONTROL, VirtualFunctionControl.COM_WAIT_INT_EN)
                : g.enabled(EVENT_CONTROL, VirtualFunctionControl.EVENT_INT_EN);
    if (!was && wanted) {
      owner.interrupt(g, type);
    }
  }
}
