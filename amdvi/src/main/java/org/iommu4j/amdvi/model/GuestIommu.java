package org.iommu4j.amdvi.model;

import static org.iommu4j.amdvi.layout.VirtualFunction.STATUS;

import org.iommu4j.amdvi.layout.PrivateSpace;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.amdvi.layout.VirtualFunction;
import org.iommu4j.amdvi.layout.VirtualFunctionControl;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;

/**
 * One guest's IOMMU: its registers on both sides, and what is under way. State lock held.
 *
 * <p>Choice: the registers are here and not in the first region of the private address space, whose
 * format is not public.
 */
final class GuestIommu {
  private static final int PAGE_BYTES = 0x88;

  /** Its GuestID. */
  final int id;

  /** What the guest reaches. */
  final RegisterFile page = new RegisterFile(PAGE_BYTES, 1);

  /** What the hypervisor reaches. */
  final RegisterFile control = new RegisterFile(VirtualFunctionControl.BYTES, 1);

  /** A COMPLETION_WAIT waits at the head. It was fetched once. */
  boolean waits;

  long waitFirst;
  long waitSecond;

  /** An event could not be written into the log, and waits for INSERT_GUEST_EVENT. */
  boolean held;

  long heldFirst;
  long heldSecond;

  private final VirtualIommus owner;

  GuestIommu(int id, VirtualIommus owner) {
    this.id = id;
    this.owner = owner;
    ring(GuestRing.COMMANDS, Registers.CMD_BUF_RUN, owner);
    ring(GuestRing.EVENTS, Registers.EVENT_LOG_RUN, owner);
    ring(GuestRing.EVENTS_B, Registers.EVENT_LOG_RUN, owner);
    ring(GuestRing.PPR, Registers.PPR_LOG_RUN, owner);
    ring(GuestRing.PPR_B, Registers.PPR_LOG_RUN, owner);
    page.add(STATUS, 0);
    page.add(VirtualFunction.PPR_AUTO_RESPONSE, 0);
    control.add(VirtualFunctionControl.DEVICE_MAP, 0, null, (b, a, w) -> owner.map(this, a), null);
    control.add(
        VirtualFunctionControl.DOMAIN_MAP, 0, null, (b, a, w) -> owner.mapDomain(this, a), null);
    control.add(VirtualFunctionControl.MISC_CONTROL, 0);
    control.add(
        VirtualFunctionControl.EVENT_B_CONTROL,
        0,
        (b, w) -> runs(Registers.EVENT_LOG_RUN) ? b : w,
        (b, a, w) -> placed(GuestRing.EVENTS_B, Registers.EVENT_LOG_RUN, b, a),
        null);
    control.add(
        VirtualFunctionControl.COMMAND_CONTROL,
        0,
        (b, w) ->
            placing(b, w, Registers.CMD_BUF_RUN, VirtualFunctionControl.CMD_BUF_EN, PLACE_COMMANDS),
        (b, a, w) -> {
          placed(GuestRing.COMMANDS, Registers.CMD_BUF_RUN, b & PLACE_COMMANDS, a & PLACE_COMMANDS);
          run(
              VirtualFunctionControl.CMD_BUF_EN,
              Registers.CMD_BUF_RUN,
              GuestRing.COMMANDS.valid(control),
              b,
              a);
          waits &= runs(Registers.CMD_BUF_RUN);
          owner.later(this);
          tell(VirtualFunctionControl.COM_WAIT_INT_EN, WAITS, PrivateSpace.INTERRUPT_EVENT, b, a);
        },
        null);
    control.add(
        VirtualFunctionControl.EVENT_CONTROL,
        0,
        (b, w) ->
            placing(b, w, Registers.EVENT_LOG_RUN, VirtualFunctionControl.EVENT_LOG_EN, PLACE_LOGS),
        (b, a, w) -> eventControl(b, a),
        null);
    control.add(
        VirtualFunctionControl.PPR_CONTROL,
        0,
        (b, w) ->
            placing(b, w, Registers.PPR_LOG_RUN, VirtualFunctionControl.PPR_LOG_EN, PLACE_PPR),
        (b, a, w) -> pprControl(b, a),
        null);
    control.add(
        VirtualFunctionControl.PPR_B_CONTROL,
        0,
        (b, w) -> runs(Registers.PPR_LOG_RUN) ? b : w,
        (b, a, w) -> placed(GuestRing.PPR_B, Registers.PPR_LOG_RUN, b, a),
        null);
  }

  private static final long PLACE_COMMANDS =
      VirtualFunctionControl.BASE.mask() | VirtualFunctionControl.LEN.mask();
  private static final long PLACE_LOGS = PLACE_COMMANDS | VirtualFunctionControl.LEN_B.mask();
  private static final long PLACE_PPR =
      VirtualFunctionControl.PPR_BASE.mask()
          | VirtualFunctionControl.LEN.mask()
          | VirtualFunctionControl.LEN_B.mask();

  // Status bits that tell of interrupts.
  private static final long WAITS = Registers.COM_WAIT_INT.mask();
  private static final long EVENTS =
      Registers.EVENT_LOG_INT.mask()
          | Registers.EVENT_OVERFLOW.mask()
          | Registers.EVENT_OVERFLOW_B.mask();
  private static final long REQUESTS =
      Registers.PPR_INT.mask() | Registers.PPR_OVERFLOW.mask() | Registers.PPR_OVERFLOW_B.mask();

  /** As of the ordinary rings: what the unit moves can be written only while the ring stands. */
  private void ring(GuestRing ring, Field running, VirtualIommus owner) {
    boolean commands = ring == GuestRing.COMMANDS;
    Register hardware = commands ? ring.head : ring.tail;
    Register software = commands ? ring.tail : ring.head;
    page.add(hardware, 0, (b, w) -> runs(running) ? b : w, null, null);
    page.add(software, 0, null, commands ? (b, a, w) -> owner.later(this) : null, null);
  }

  boolean runs(Field running) {
    return page.get(STATUS, running) != 0;
  }

  /** A ring that runs, and goes on running, stays where it is. */
  private long placing(long before, long written, Field running, Field enable, long place) {
    boolean stays = runs(running) && enable.isSet(written);
    return stays ? (written & ~place) | (before & place) : written;
  }

  /** A ring that stands was moved: head and tail are 0. */
  private void placed(GuestRing ring, Field running, long before, long after) {
    if (before != after && !runs(running)) {
      page.post(ring.head, 0);
      page.post(ring.tail, 0);
    }
  }

  /** The run bit follows the enable bit: a ring that stopped by itself starts when it rises. */
  private void run(Field enable, Field running, boolean valid, long before, long after) {
    if (!enable.isSet(after)) {
      page.post(STATUS, running, 0);
    } else if (!enable.isSet(before) && valid) {
      page.post(STATUS, running, 1);
    }
  }

  private void eventControl(long before, long after) {
    long place = PLACE_LOGS & ~VirtualFunctionControl.LEN_B.mask();
    placed(GuestRing.EVENTS, Registers.EVENT_LOG_RUN, before & place, after & place);
    active(VirtualFunctionControl.DUAL_EVENT_LOG_EN, Registers.EVENT_LOG_ACTIVE, before, after);
    run(
        VirtualFunctionControl.EVENT_LOG_EN,
        Registers.EVENT_LOG_RUN,
        GuestRing.events(page).valid(control),
        before,
        after);
    held &= VirtualFunctionControl.EVENT_LOG_EN.isSet(after);
    tell(VirtualFunctionControl.EVENT_INT_EN, EVENTS, PrivateSpace.INTERRUPT_EVENT, before, after);
  }

  private void pprControl(long before, long after) {
    long place = PLACE_PPR & ~VirtualFunctionControl.LEN_B.mask();
    placed(GuestRing.PPR, Registers.PPR_LOG_RUN, before & place, after & place);
    active(VirtualFunctionControl.DUAL_PPR_LOG_EN, Registers.PPR_LOG_ACTIVE, before, after);
    run(
        VirtualFunctionControl.PPR_LOG_EN,
        Registers.PPR_LOG_RUN,
        GuestRing.pageRequests(page).valid(control),
        before,
        after);
    tell(VirtualFunctionControl.PPR_INT_EN, REQUESTS, PrivateSpace.INTERRUPT_PPR, before, after);
  }

  /** An interrupt is turned on: what is pending goes out, as in {@link Signals#enabled}. */
  private void tell(Field enable, long pending, int type, long before, long after) {
    boolean rises = enable.isSet(after) && !enable.isSet(before);
    if (rises && (page.get(STATUS) & pending) != 0) {
      owner.interrupt(this, type);
    }
  }

  private void active(Field dual, Field active, long before, long after) {
    if (dual.get(before) != dual.get(after)) {
      page.post(STATUS, active, dual.get(after) == 1 ? 1 : 0);
    }
  }

  /** RESET_VMMIO of the command buffer. */
  void resetCommands() {
    control.post(VirtualFunctionControl.COMMAND_CONTROL, 0);
    page.post(VirtualFunction.COMMAND_HEAD, 0);
    page.post(VirtualFunction.COMMAND_TAIL, 0);
    page.post(STATUS, Registers.CMD_BUF_RUN, 0);
    page.post(STATUS, Registers.COM_WAIT_INT, 0);
    waits = false;
  }

  /** RESET_VMMIO of all. */
  void reset() {
    for (Register r : VirtualFunctionControl.ALL) {
      control.post(r, 0);
    }
    for (Register r : VirtualFunction.ALL) {
      page.post(r, 0);
    }
    waits = false;
    held = false;
  }

  /** The DeviceID whose host tables translate the guest's addresses. */
  int translateDevice() {
    return (int)
        control.get(
            VirtualFunctionControl.MISC_CONTROL, VirtualFunctionControl.TRANSLATE_DEVICE_ID);
  }

  /** A field of one of the control registers. */
  boolean enabled(Register register, Field field) {
    return control.get(register, field) != 0;
  }
}
