package org.iommu4j.riscv.driver;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.support.Attachment;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.riscv.layout.DeviceContext;
import org.iommu4j.riscv.layout.ProcessContext;

/**
 * What every device may do, in memory and in the caches: device contexts and process contexts, and
 * how they change while devices are running. §3.2, §3.3, §6.2.
 *
 * <p>A context has several words, so one that is valid is never changed in place: it is made
 * invalid, forgotten, and made anew. In between the device's requests are blocked and reported;
 * that is seen by a device that is not quiet while it moves from one domain to another.
 *
 * <p>With a PASID a device gets a process directory. Its requests without PASID then take
 * process_id 0 (DPE), because without DPE they would pass untranslated; so 0 is no PASID for anyone
 * else. A device keeps its process directory until it is attached to nothing: going back would only
 * interrupt it once more.
 */
final class Contexts {
  private static final int NO_PROCESS = 0;

  private final Unit unit;
  private final Plan plan;
  private final CommandQueue commands;
  private final DeviceDirectory directory;
  private final DeviceCaches caches;

  /** The identity second stage under all first stages; {@link Space#NONE} if not nested. */
  private final Space host;

  private final Map<Integer, Device> devices = new HashMap<>();

  /** Those with invalidations that failed. */
  private final Set<Device> owing = new HashSet<>();

  Contexts(
      Unit unit,
      Plan plan,
      CommandQueue commands,
      DeviceDirectory directory,
      DeviceCaches caches,
      Space host) {
    this.unit = unit;
    this.plan = plan;
    this.commands = commands;
    this.directory = directory;
    this.caches = caches;
    this.host = host;
  }

  /**
   * A device has one second stage, for all its processes.
   *
   * @throws IllegalStateException if it would have to have several
   */
  synchronized void check(Attachment who, Use to) {
    Device d = devices.get(who.source());
    Use base = who.hasPasid() ? d == null ? Use.BLOCKED : d.base : to;
    boolean processes = who.hasPasid() ? to.allowed() : d != null && d.directory != null;
    boolean guest = !host.guest() && (base.space().guest() || who.hasPasid() && to.space().guest());
    if (processes && guest) {
      throw new IllegalStateException(
          "device 0x%x: with PASIDs, and until it is detached from all domains, it cannot have a"
                  .formatted(who.source())
              + " second stage of its own");
    }
  }

  /**
   * Makes a device, or its requests with one PASID, do something else from now on.
   *
   * @throws DriverException if the unit or the memory fails; the device is attached to nothing then
   */
  synchronized void move(Attachment who, Use to) {
    Device d =
        devices.computeIfAbsent(
            who.source(), s -> new Device(s, directory.context(s), directory.words));
    try {
      move(d, who, to);
    } catch (DriverException e) {
      abandon(d);
      throw e;
    }
  }

  /**
   * Carries out what is owed of all devices: before that, a device that could not be moved may
   * still reach what it was attached to.
   *
   * @throws DriverException if the unit fails again
   */
  synchronized void settle() {
    List.copyOf(owing).forEach(this::apply);
  }

  private void move(Device d, Attachment who, Use to) {
    if (d.distrusted && !d.inUse()) {
      // Perhaps another device is in its place by now; its cache has to be empty all the same.
      d.distrusted = !caches.forgetAll(d.source);
    }
    if (who.hasPasid()) {
      Use from = d.pasids.getOrDefault(who.pasid(), Use.BLOCKED);
      ProcessDirectory processes = d.directory;
      if (processes == null && to.allowed()) {
        processes = withProcesses(d);
      }
      if (processes != null) {
        change(d, processes, who.pasid(), from, to);
      }
      if (to.allowed()) {
        d.pasids.put(who.pasid(), to);
      } else {
        d.pasids.remove(who.pasid());
      }
    } else {
      ProcessDirectory processes = d.directory;
      boolean always =
          plan.settings().pdt() == Settings.Pdt.ALWAYS
              && plan.pasidBits() > 0
              && to.space().guest() == host.guest();
      if (processes == null && always && to.allowed()) {
        processes = withProcesses(d);
      }
      if (processes != null) {
        change(d, processes, NO_PROCESS, d.base, to);
      }
      d.base = to;
    }
    apply(d);
    ProcessDirectory processes = d.directory;
    if (processes != null && !d.inUse()) {
      processes.free();
      d.directory = null;
    }
  }

  /** A process directory that says what the device context says so far. */
  private ProcessDirectory withProcesses(Device d) {
    ProcessDirectory processes = new ProcessDirectory(unit, plan.pdtMode());
    d.directory = processes;
    if (d.base.allowed()) {
      write(processes.context(NO_PROCESS), d.base.space());
    }
    return processes;
  }

  private void change(Device d, ProcessDirectory processes, int pasid, Use from, Use to) {
    long at = processes.context(pasid);
    if (ProcessContext.V.isSet(unit.memory.readLong(at))) {
      unit.store(at, 0);
      if (DeviceContext.V.isSet(d.words[DeviceContext.TC])) {
        // §6.2.2: the context, then what was translated under it, with the old identity.
        commands.run(
            new Commands()
                .forgetProcess(d.source, pasid)
                .forgetFirstStage(from.space().pscid(), host.gscid(), host.guest()));
        forgetInDevice(d, pasid);
      }
    }
    if (to.allowed()) {
      write(at, to.space());
    }
  }

  private void write(long at, Space space) {
    unit.store(at + 8, space.fsc());
    unit.link(at, ProcessContext.V.mask() | ProcessContext.PSCID.of(space.pscid()));
  }

  /** Brings the device context in line with what the device may do. */
  private void apply(Device d) {
    if (d.unforgotten == null && Arrays.equals(context(d), d.words)) {
      return;
    }
    invalidate(d);
    long[] old = d.unforgotten;
    if (old != null) {
      forget(d, old);
      d.unforgotten = null;
      owing.remove(d);
      ProcessDirectory orphan = d.orphan;
      if (orphan != null) {
        orphan.free();
        d.orphan = null;
      }
    }
    long[] next = context(d); // without ATS, if the device did not answer
    if (DeviceContext.V.isSet(next[DeviceContext.TC])) {
      for (int i = DeviceContext.TC + 1; i < next.length; i++) {
        unit.store(d.at + 8L * i, next[i]);
      }
      unit.link(d.at, next[DeviceContext.TC]);
    }
    d.words = next;
  }

  /** In memory; caches are to forget it before anything else is put in its place. */
  private void invalidate(Device d) {
    if (DeviceContext.V.isSet(d.words[DeviceContext.TC])) {
      unit.store(d.at, d.words[DeviceContext.TC] & ~DeviceContext.V.mask());
      d.unforgotten = d.words;
      owing.add(d);
      d.words = new long[d.words.length];
    }
  }

  /** Whatever the device could do, it cannot any more, as far as memory says so. */
  private void abandon(Device d) {
    invalidate(d);
    d.base = Use.BLOCKED;
    d.pasids.clear();
    ProcessDirectory processes = d.directory;
    if (processes != null) {
      d.directory = null;
      if (d.unforgotten != null && d.orphan == null) {
        d.orphan = processes;
      } else {
        processes.free(); // it was never in a context
      }
    }
  }

  /** §6.2.1: the context, then what was translated under it, with the old identity. */
  private void forget(Device d, long[] old) {
    long iohgatp = old[DeviceContext.IOHGATP];
    long fsc = old[DeviceContext.FSC];
    Commands c = new Commands().forgetDevice(d.source);
    if (DeviceContext.MODE.get(iohgatp) != DeviceContext.IOHGATP_BARE) {
      c.forgetGuest(DeviceContext.GSCID.getInt(iohgatp));
    } else if (DeviceContext.PDTV.isSet(old[DeviceContext.TC])) {
      c.forgetHost();
    } else if (DeviceContext.MODE.get(fsc) != DeviceContext.IOSATP_BARE) {
      c.forgetFirstStage(DeviceContext.PSCID.getInt(old[DeviceContext.TA]), 0, false);
    }
    commands.run(c);
    if (DeviceContext.EN_ATS.isSet(old[DeviceContext.TC]) && !d.distrusted) {
      d.distrusted = !caches.forgetAll(d.source);
    }
  }

  private void forgetInDevice(Device d, int pasid) {
    if (DeviceContext.EN_ATS.isSet(d.words[DeviceContext.TC])) {
      int tag = pasid == NO_PROCESS ? DmaRequest.NO_PASID : pasid;
      if (!caches.forgetSpace(d.source, tag)) {
        distrust(d);
      }
    }
  }

  /** Whether the device may hold translations. */
  synchronized boolean mayCache(int source) {
    Device d = devices.get(source);
    return d != null && DeviceContext.EN_ATS.isSet(d.words[DeviceContext.TC]);
  }

  /** The device did not answer: from now on it gets no translations, and its own are refused. */
  synchronized void distrust(int source) {
    Device d = devices.get(source);
    if (d != null && !d.distrusted) {
      distrust(d);
    }
  }

  private void distrust(Device d) {
    d.distrusted = true;
    apply(d);
  }

  private long[] context(Device d) {
    long[] w = new long[directory.words];
    if (!d.inUse()) {
      return w;
    }
    Settings s = plan.settings();
    long tc = DeviceContext.V.mask();
    if (s.ats() && !d.distrusted) {
      tc |= DeviceContext.EN_ATS.mask();
      if (s.pri()) {
        tc |= DeviceContext.EN_PRI.mask() | DeviceContext.PRPR.mask();
      }
    }
    if (s.ad() == Settings.AccessedDirty.HARDWARE) {
      tc |= DeviceContext.SADE.mask() | DeviceContext.GADE.mask();
    }
    ProcessDirectory processes = d.directory;
    if (processes != null) {
      tc |= DeviceContext.PDTV.mask() | DeviceContext.DPE.mask();
      w[DeviceContext.IOHGATP] = host.iohgatp();
      w[DeviceContext.FSC] = processes.pdtp();
    } else {
      Space space = d.base.space();
      w[DeviceContext.IOHGATP] = space.iohgatp();
      w[DeviceContext.TA] = DeviceContext.PSCID.of(space.pscid());
      w[DeviceContext.FSC] = space.fsc();
    }
    w[DeviceContext.TC] = tc;
    return w;
  }
}
