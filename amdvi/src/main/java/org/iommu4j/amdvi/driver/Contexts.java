package org.iommu4j.amdvi.driver;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.support.Attachment;
import org.iommu4j.driver.support.IdAllocator;
import org.iommu4j.driver.support.Unit;

/**
 * What every device may do, in memory and in the caches, and how it changes while devices are
 * running.
 *
 * <p>An entry that translates is never changed in place: it is blocked, forgotten, and made anew. A
 * PASID alone changes in the GCR3 table.
 */
final class Contexts {
  /** The PASID of requests without PASID. */
  static final int NO_PROCESS = 0;

  /**
   * Choice: a device on a guest's GCR3 table may cache translations if the table has one level.
   * When a page of the host goes it has to be asked about each PASID: here 512 times, not 2^18.
   */
  private static final int MOST_ASKED = 512;

  private final Unit unit;
  private final Plan plan;
  private final CommandRing commands;
  private final Events events;
  private final DeviceTable table;
  private final IdAllocator ids;
  private final Map<Integer, Device> devices = new HashMap<>();

  /** Those with invalidations that failed. */
  private final Set<Device> owing = new HashSet<>();

  Contexts(
      Unit unit,
      Plan plan,
      CommandRing commands,
      Events events,
      DeviceTable table,
      IdAllocator ids) {
    this.unit = unit;
    this.plan = plan;
    this.commands = commands;
    this.events = events;
    this.table = table;
    this.ids = ids;
  }

  /**
   * Refuses what one entry of the device table cannot say: host tables take part in all of a
   * device's requests or in none, and a guest's GCR3 table has all of its PASIDs.
   *
   * @throws IllegalStateException if the device cannot use the space as things are
   */
  synchronized void check(Attachment who, Space to) {
    Device d = devices.get(who.source());
    if (who.hasPasid()) {
      if (to.kind() == Space.Kind.PASS_THROUGH) {
        throw new IllegalStateException(
            "requests with PASID go through guest tables: they cannot pass as they are");
      }
      if (to.throughHost()) {
        throw new IllegalStateException(
            "a PASID cannot be attached to a domain of host tables: those of a nested domain are in"
                + " the guest's GCR3 table");
      }
      if (to.allowed() && d != null && space(d, NO_PROCESS).throughHost()) {
        throw new IllegalStateException(
            "device 0x%x is in a domain of host tables: it cannot have PASIDs besides"
                .formatted(who.source()));
      }
    } else if (plan.guest() != null
        && to.throughHost()
        && d != null
        && !d.spaces.tailMap(NO_PROCESS, false).isEmpty()) {
      throw new IllegalStateException(
          "device 0x%x has PASIDs: it cannot be in a domain of host tables besides"
              .formatted(who.source()));
    }
  }

  /**
   * Makes a device, or its requests with one PASID, do something else from now on.
   *
   * @throws DriverException if the unit or the memory fails; the device is attached to nothing then
   */
  synchronized void move(Attachment who, Space to) {
    Device d = devices.get(who.source());
    if (d == null) {
      d = new Device(who.source(), plan.guest() != null ? ids.take() : 0);
      devices.put(who.source(), d);
    }
    try {
      settle(d);
      if (who.hasPasid()) {
        changeProcess(d, who.pasid(), to);
      } else {
        changeDevice(d, to);
      }
    } catch (DriverException e) {
      giveUp(d);
      throw e;
    }
  }

  /** The device is attached to nothing; what caches hold of all that it was in is owed. */
  private void giveUp(Device d) {
    table.block(d.source);
    d.owed.forgetDevice(d.source);
    d.spaces.forEach((pasid, space) -> forgetInUnit(d.owed, d, pasid, space));
    if (d.ats && !d.distrusted) {
      d.spaces.forEach((p, space) -> forgetInDevice(d.owed, d.source, p, space, 0, -1L));
      d.owesAnswer = true;
      // No command names all PASIDs of a guest's table at once.
      d.distrusted = space(d, NO_PROCESS).guest() != null;
    }
    ProcessTable processes = d.processes;
    if (processes != null) {
      d.spaces.keySet().forEach(pasid -> processes.set(pasid, 0));
    }
    d.spaces.clear();
    d.ats = false;
    owing.add(d);
  }

  /**
   * Carries out what is owed of all devices: before that, a device that could not be moved may
   * still reach what it was attached to.
   *
   * @throws DriverException if the unit fails again
   */
  synchronized void settle() {
    List.copyOf(owing).forEach(this::settle);
  }

  private void settle(Device d) {
    if (!d.owed.isEmpty()) {
      if (!d.owesAnswer) {
        commands.run(d.owed);
      } else if (!answers(d.source, d.owed)) {
        d.distrusted = true;
      }
      d.owesAnswer = false;
      d.owed.clear();
    }
    owing.remove(d);
  }

  private void forgetInUnit(Batch batch, Device d, int pasid, Space space) {
    if (plan.guest() == null || space.throughHost()) {
      // What is nested is in the tables of its parent, too; where a guest's tables lie stays true.
      batch.forgetSpace(space.domainId(), -1);
    } else {
      batch.forgetSpace(d.domainId, pasid);
    }
  }

  /**
   * What a device's own cache holds of a range. With guest tables requests without PASID and those
   * that name PASID 0 go the same way (GIOV), and a device keeps apart what it got for them.
   */
  private static void forgetInDevice(
      Batch batch, int source, int pasid, Space space, long first, long last) {
    if (pasid == NO_PROCESS) {
      batch.forgetInDevice(source, DmaRequest.NO_PASID, first, last);
    }
    if (pasid != NO_PROCESS || space.throughGuest()) {
      batch.forgetInDevice(source, pasid, first, last);
    }
  }

  private void forget(Device d, Batch batch) {
    d.owed.addAll(batch);
    owing.add(d);
    settle(d);
  }

  private void put(Device d, int pasid, Space to) {
    if (to.allowed()) {
      d.spaces.put(pasid, to);
    } else {
      d.spaces.remove(pasid);
    }
  }

  private Space space(Device d, int pasid) {
    return d.spaces.getOrDefault(pasid, Space.BLOCKED);
  }

  private void changeProcess(Device d, int pasid, Space to) {
    boolean was = !d.spaces.isEmpty();
    ProcessTable processes = processes(d);
    if (space(d, pasid).allowed()) {
      processes.set(pasid, 0);
      forget(d, new Batch().forgetSpace(d.domainId, pasid));
      forgetInDevice(d, pasid);
    }
    put(d, pasid, to);
    if (to.allowed()) {
      processes.set(pasid, to.root());
      if (plan.settings().absentCached()) {
        forget(d, new Batch().forgetSpace(d.domainId, pasid));
      }
    }
    if (!was || d.spaces.isEmpty()) {
      rewrite(d);
    }
  }

  private void changeDevice(Device d, Space to) {
    Space old = space(d, NO_PROCESS);
    boolean was = !d.spaces.isEmpty();
    if (was) {
      blockAndForget(d, old);
    }
    put(d, NO_PROCESS, to);
    write(d);
    if (was || !d.spaces.isEmpty()) {
      // The blocked entry may be cached, too.
      Batch batch = new Batch().forgetDevice(d.source);
      if (plan.settings().absentCached() && to.kind() == Space.Kind.GUEST) {
        batch.forgetSpace(d.domainId, NO_PROCESS);
      }
      forget(d, batch);
    }
  }

  private void blockAndForget(Device d, Space old) {
    table.block(d.source);
    Batch batch = new Batch().forgetDevice(d.source);
    forgetInUnit(batch, d, NO_PROCESS, old);
    forget(d, batch);
    if (d.ats && !d.distrusted && !askAll(d.source, old)) {
      d.distrusted = true;
    }
  }

  private void rewrite(Device d) {
    write(d);
    forget(d, new Batch().forgetDevice(d.source));
  }

  private ProcessTable processes(Device d) {
    ProcessTable p = d.processes;
    if (p == null) {
      p = new ProcessTable(unit, plan.gcr3Levels());
      d.processes = p;
    }
    return p;
  }

  /** Makes the entry say what the device may do. */
  private void write(Device d) {
    if (d.spaces.isEmpty()) {
      table.block(d.source);
      d.ats = false;
      return;
    }
    Space own = space(d, NO_PROCESS);
    long first =
        DeviceTableEntry.V.mask()
            | DeviceTableEntry.TV.mask()
            | DeviceTableEntry.IR.mask()
            | DeviceTableEntry.IW.mask();
    long second;
    HostFormat host = plan.host();
    GuestTable guest = own.guest();
    if (host != null && own.throughHost()) {
      first |= DeviceTableEntry.MODE.of(host.levels()) | DeviceTableEntry.ROOT.in(own.root());
    }
    if (guest != null) {
      first |=
          DeviceTableEntry.GV.mask()
              | DeviceTableEntry.GIOV.mask()
              | DeviceTableEntry.GLX.of(Plan.gcr3Levels(guest.pasidBits()) - 1)
              | DeviceTableEntry.gcr3First(guest.root());
      second =
          DeviceTableEntry.DOMAIN_ID.of(own.domainId()) | DeviceTableEntry.gcr3Second(guest.root());
    } else if (plan.guest() == null || own.throughHost()) {
      second = DeviceTableEntry.DOMAIN_ID.of(own.domainId());
    } else {
      ProcessTable processes = processes(d);
      boolean passes = own.kind() == Space.Kind.PASS_THROUGH;
      processes.set(NO_PROCESS, passes ? 0 : own.root());
      first |=
          DeviceTableEntry.GV.mask()
              | (passes ? 0 : DeviceTableEntry.GIOV.mask())
              | DeviceTableEntry.GLX.of(plan.gcr3Levels() - 1)
              | DeviceTableEntry.gcr3First(processes.root());
      second =
          DeviceTableEntry.DOMAIN_ID.of(d.domainId) | DeviceTableEntry.gcr3Second(processes.root());
    }
    d.ats = plan.settings().ats() && !d.distrusted && (guest == null || canAskAll(guest));
    if (d.ats) {
      second |= DeviceTableEntry.I.mask();
    }
    if (d.ats && plan.settings().pri() && plan.has(ExtendedFeatures.EPH_SUP)) {
      first |= DeviceTableEntry.PPR.mask() | DeviceTableEntry.GPRP.mask();
    }
    if (guest != null) {
      table.allow(d.source, first, second, guest.levels());
    } else {
      table.allow(d.source, first, second);
    }
  }

  /** No command names all PASIDs of a device at once. */
  private boolean canAskAll(GuestTable guest) {
    return plan.reach(guest) <= MOST_ASKED;
  }

  /** Makes a device forget everything that it may hold of a space; false if it does not answer. */
  private boolean askAll(int source, Space space) {
    GuestTable guest = space.guest();
    if (!ask(source, NO_PROCESS, space, 0, -1L)) {
      return false;
    }
    if (guest == null) {
      return true;
    }
    Batch batch = new Batch();
    for (int pasid = NO_PROCESS + 1; pasid < plan.reach(guest); pasid++) {
      batch.forgetInDevice(source, pasid, 0, -1L);
    }
    return answers(source, batch);
  }

  /** All that the device holds for a PASID; if it does not answer it loses ATS. */
  private void forgetInDevice(Device d, int pasid) {
    if (d.ats && !d.distrusted && !ask(d.source, pasid, space(d, pasid), 0, -1L)) {
      d.distrusted = true;
    }
  }

  /** Makes a device forget a range; false if it does not answer. */
  private boolean ask(int source, int pasid, Space space, long first, long last) {
    Batch batch = new Batch();
    forgetInDevice(batch, source, pasid, space, first, last);
    return answers(source, batch);
  }

  /**
   * Whether a device answers a batch. That it does not, an event tells; of a log that overflows it
   * may be one that is lost, so that the device is asked once more. Devices can fill the log.
   */
  private boolean answers(int source, Batch batch) {
    for (int attempt = 0; attempt < 2; attempt++) {
      int before = events.losses();
      commands.run(batch);
      if (events.silent(source)) {
        return false;
      }
      if (events.losses() == before) {
        return true;
      }
    }
    return false;
  }

  /** The domain id that caches tag a device's translations with; -1 if it has none yet. */
  synchronized int domainId(int source) {
    Device d = devices.get(source);
    return d == null ? -1 : d.domainId;
  }

  /** Makes a device forget a range, if it may hold any; it loses ATS if it does not answer. */
  synchronized void forgetInDevice(int source, int pasid, long first, long last) {
    Device d = devices.get(source);
    if (d != null && d.ats && !d.distrusted && !ask(source, pasid, space(d, pasid), first, last)) {
      distrust(d);
    }
  }

  /** The same of everything, of whatever PASID. */
  synchronized void forgetAllInDevice(int source) {
    Device d = devices.get(source);
    if (d != null && d.ats && !d.distrusted && !askAll(source, space(d, NO_PROCESS))) {
      distrust(d);
    }
  }

  private void distrust(Device d) {
    d.distrusted = true;
    write(d);
    forget(d, new Batch().forgetDevice(d.source));
  }

  /** Nobody uses the tables any more. */
  synchronized void free() {
    for (Device d : devices.values()) {
      ProcessTable p = d.processes;
      if (p != null) {
        p.free();
      }
    }
    devices.clear();
    owing.clear();
  }
}
