package org.iommu4j.amdvi.model;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.EventCode;
import org.iommu4j.amdvi.layout.EventRecord;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.PprRecord;
import org.iommu4j.amdvi.layout.PrivateSpace;
import org.iommu4j.amdvi.layout.Reason;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.amdvi.layout.VirtualFunction;
import org.iommu4j.amdvi.layout.VirtualFunctionControl;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.PageRequest;
import org.iommu4j.core.dma.RegisterWindow;
import org.iommu4j.core.memory.Mmio;
import org.jspecify.annotations.Nullable;

/**
 * The virtual IOMMUs of a unit with EFR.vIOMMUSup: each guest has its own command buffer, event log
 * and PPR log, and the unit serves them without the hypervisor. 48882 revision 3.07, "vIOMMU"; what
 * of it is public, and what is inferred, is told where it is.
 *
 * <p>Control.vIommuEn turns all of it on, vCmdEn the command buffers besides. A device belongs to a
 * guest if vImuEn of its device table entry is set: GuestID says to which, GDeviceID what the guest
 * calls it.
 */
final class VirtualIommus {
  private static final int PAGE_SHIFT = Integer.numberOfTrailingZeros(VirtualFunction.BYTES);
  private static final int CONTROL_SHIFT =
      Integer.numberOfTrailingZeros(VirtualFunctionControl.BYTES);

  private final AmdviIommu unit;
  private final boolean present;
  private final @Nullable GuestIommu[] guests;
  private final List<GuestIommu> known = new ArrayList<>();

  /** Commands of a guest before the next guest's: as many as the shortest buffer has. */
  private static final int TURN = 256;

  /** Who of those that are known is next. */
  private int turn;

  /** What a guest looks like that nobody has touched. */
  private final GuestIommu untouched;

  private final GuestAccess access;
  private final GuestLogs logs;
  private final GuestCommands commands;

  /** Interrupts to guests that wait to be sent, by index of the extended table. */
  private final BitSet interrupts;

  private volatile boolean interrupted;

  /** Whose commands a register write left to be run without the state lock. */
  private @Nullable GuestIommu pending;

  VirtualIommus(AmdviIommu unit) {
    this.unit = unit;
    present = unit.config().has(ExtendedFeatures.VIOMMU_SUP);
    guests = new GuestIommu[present ? unit.config().guests() : 0];
    interrupts = new BitSet(present ? (int) PrivateSpace.INTERRUPT_TYPE.mask() + 1 : 0);
    untouched = new GuestIommu(0, this);
    access = new GuestAccess(unit);
    logs = new GuestLogs(unit, this, access);
    commands = new GuestCommands(unit, access, logs);
  }

  // ---- registers

  /** The apertures. */
  List<RegisterWindow> windows() {
    if (!present) {
      return List.of();
    }
    UnitConfig c = unit.config();
    return List.of(
        new RegisterWindow(
            "VF MMIO", c.vfBase(), VirtualFunction.APERTURE_BYTES, new Aperture(PAGE_SHIFT, true)),
        new RegisterWindow(
            "VF Control MMIO",
            c.vfControlBase(),
            VirtualFunctionControl.APERTURE_BYTES,
            new Aperture(CONTROL_SHIFT, false)));
  }

  /**
   * One of the apertures: a range of 2^{@code shift} bytes for each GuestID. Those that the unit
   * does not serve read 0 and ignore writes.
   */
  private final class Aperture implements Mmio {
    private final int shift;
    private final boolean pages;

    Aperture(int shift, boolean pages) {
      this.shift = shift;
      this.pages = pages;
    }

    private RegisterFile file(GuestIommu g) {
      return pages ? g.page : g.control;
    }

    private int guest(long offset) {
      return (int) (offset >>> shift) & 0xffff;
    }

    private long within(long offset) {
      return offset & (1L << shift) - 1;
    }

    @Override
    public long read(long offset, int size) {
      synchronized (unit.commandLock()) {
        GuestIommu g;
        synchronized (unit.state()) {
          g = existing(guest(offset));
        }
        if (g != null) {
          unit.turns().run(g); // what a long buffer left over
        }
        synchronized (unit.state()) {
          return file(g == null ? untouched : g).read(within(offset), size);
        }
      }
    }

    @Override
    public void write(long offset, int size, long value) {
      synchronized (unit.commandLock()) {
        synchronized (unit.state()) {
          if (guest(offset) < guests.length) {
            file(made(guest(offset))).write(within(offset), size, value);
          }
        }
        GuestIommu g = pending;
        if (g != null) {
          pending = null;
          unit.turns().run(g);
        }
        sendInterrupts();
      }
    }

    @Override
    public boolean ofUnit() {
      return true;
    }
  }

  /** The guest of that GuestID; null if nobody has set it up. State lock held. */
  private @Nullable GuestIommu existing(int id) {
    return id < guests.length ? guests[id] : null;
  }

  /** A guest, which there is from now on. State lock held. */
  private GuestIommu made(int id) {
    GuestIommu g = guests[id];
    if (g == null) {
      g = new GuestIommu(id, this);
      guests[id] = g;
      known.add(g);
    }
    return g;
  }

  /** A register of a guest's command buffer was written. */
  void later(GuestIommu g) {
    pending = g;
  }

  /** A write to Guest DID Map Control 0. */
  void map(GuestIommu g, long value) {
    access.map(g, value, false);
  }

  /** A write to Guest DID Map Control 1. */
  void mapDomain(GuestIommu g, long value) {
    access.map(g, value, true);
  }

  // ---- commands

  /** Executes what a guest has queued, at most so many commands; tells how many it were. */
  int run(GuestIommu g, int most) {
    return commands.run(g, most);
  }

  /**
   * Executes what guests have queued, at most so many commands; tells how many it were. One guest
   * after the other has its turn, and the next call goes on with the next guest. Command lock held,
   * state lock not.
   */
  int run(int most) {
    int executed = 0;
    // A guest that did not use up its turn has nothing left.
    for (int idle = 0; idle < known.size() && executed < most; ) {
      turn = turn < known.size() ? turn : 0;
      int share = Math.min(TURN, most - executed);
      int now = commands.run(known.get(turn++), share);
      executed += now;
      idle = now < share ? idle + 1 : 0;
    }
    return executed;
  }

  /**
   * Waits for a record that a thread is writing into a guest's log: the tables that say where may
   * have changed. State lock not held.
   */
  void settle() {
    if (present) {
      synchronized (unit.state()) {
        interrupted |= !interrupts.isEmpty();
      }
    }
  }

  /** RESET_VMMIO, of the host. Inferred: all registers of the guest, or its command buffer's. */
  void reset(long first) {
    synchronized (unit.state()) {
      GuestIommu g = existing(Command.RESET_GUEST_ID.getInt(first));
      if (g == null) {
        return;
      }
      if (Command.RESET_ALL.isSet(first)) {
        g.reset();
      } else if (Command.RESET_VCMD.isSet(first)) {
        g.resetCommands();
      }
    }
  }

  /** INSERT_GUEST_EVENT, of the host. */
  void insertEvent(long first) {
    synchronized (unit.state()) {
      GuestIommu g = existing(Command.GUEST_ID.getInt(first));
      if (g != null) {
        logs.insert(g);
      }
    }
    sendInterrupts();
  }

  // ---- logs

  /** Whether a device is a guest's. */
  boolean owns(DeviceEntry d) {
    return present && unit.setup().virtual && DeviceTableEntry.VIMU_EN.isSet(d.word3);
  }

  /** The guest that a device is of; null if nobody has set that guest up. */
  private @Nullable GuestIommu owner(DeviceEntry d) {
    return existing(DeviceTableEntry.GUEST_ID.getInt(d.word3));
  }

  /**
   * Takes an event that is for a guest. Inferred: a guest hears of the page faults of its devices
   * in its own, the guest's, tables. What fails in host tables or in the device table, is the
   * host's business; the guest could not even be told the DomainID, for no table leads back to it.
   *
   * @return false if the event is the host's
   */
  boolean takes(Workspace w, DeviceEntry d, Reason reason, long first, long second) {
    if (reason.event() != EventCode.IO_PAGE_FAULT
        || !reason.isGuest()
        || w.virtualFlags != 0
        || !owns(d)) {
      return false;
    }
    GuestIommu g = owner(d);
    if (g != null) {
      logs.event(g, EventRecord.DEVICE_ID.set(first, guestDevice(d)), second);
    }
    return true;
  }

  private static long guestDevice(DeviceEntry d) {
    return DeviceTableEntry.G_DEVICE_ID.get(d.word3);
  }

  /** A page request of a guest's device, which the host's device table entry allows. */
  void pageRequest(DeviceEntry d, PageRequest m, PprLog log) {
    GuestIommu g;
    int code = PprLog.INVALID_REQUEST;
    boolean answers = true;
    boolean withPasid = false;
    synchronized (unit.state()) {
      g = owner(d);
      if (g != null && ppr(g, VirtualFunctionControl.PPR_EN)) {
        if (PprLog.isMarker(m) && ppr(g, VirtualFunctionControl.BLK_STOP_MRK_EN)) {
          return;
        }
        code = (int) g.page.get(VirtualFunction.PPR_AUTO_RESPONSE, Registers.AUTO_CODE);
        withPasid = DeviceTableEntry.GPRP.isSet(d.word0);
        boolean logged =
            logs.pageRequest(
                g,
                PprRecord.DEVICE_ID.set(PprLog.record(m), guestDevice(d)),
                PprRecord.ADDRESS.in(m.payload()));
        answers =
            ppr(g, VirtualFunctionControl.PPR_AUTO_RSP_AON)
                || (!logged && ppr(g, VirtualFunctionControl.PPR_AUTO_RSP_EN));
      } else if (g != null) {
        long first = EventLog.pageRequestIdentity(m);
        logs.event(
            g, EventRecord.DEVICE_ID.set(first, guestDevice(d)), PprRecord.ADDRESS.in(m.payload()));
      }
    }
    sendInterrupts();
    if (answers) {
      log.answer(m, code, withPasid);
    }
  }

  private static boolean ppr(GuestIommu g, Field field) {
    return g.enabled(VirtualFunctionControl.PPR_CONTROL, field);
  }

  // ---- interrupts

  /** A guest is to be interrupted, when the state lock is free. */
  void interrupt(GuestIommu g, int type) {
    interrupts.set(
        (int) (PrivateSpace.INTERRUPT_TYPE.of(type) | PrivateSpace.INTERRUPT_GUEST.of(g.id)));
    interrupted = true;
  }

  /** Sends what waits. State lock not held. */
  void sendInterrupts() {
    while (interrupted) {
      int index;
      synchronized (unit.state()) {
        index = interrupts.nextSetBit(0);
        if (index < 0) {
          interrupted = false;
          return;
        }
        interrupts.clear(index);
      }
      unit.interrupts().guest(index);
    }
  }

  /** An entry of the extended interrupt table cannot be read. State lock not held. */
  void interruptError(int index, long address) {
    synchronized (unit.state()) {
      access.error(PrivateSpace.INTERRUPT_GUEST.getInt(index), address, 0);
    }
  }
}
