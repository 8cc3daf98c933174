package org.iommu4j.vtd.driver;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.support.Attachment;
import org.iommu4j.driver.support.Unit;

/**
 * What every device may do, in memory and in the caches, and how it changes while devices are
 * running. §6.6, the tables of required invalidations.
 *
 * <p>An entry that is present is never changed in place: it is made not present, forgotten, and
 * made anew. In between the device's requests are blocked and reported; that is seen by a device
 * that is not quiet while it moves from one domain to another.
 */
abstract sealed class Contexts permits LegacyContexts, ScalableContexts {
  /** The PASID of requests without PASID. */
  static final int NO_PROCESS = 0;

  final Unit unit;
  final Plan plan;
  final RootTable root;
  private final Control control;
  private final InvalidationPort port;
  private final DeviceCaches caches;
  private final Map<Integer, Device> devices = new HashMap<>();

  /** Those with invalidations that failed. */
  private final Set<Device> owing = new HashSet<>();

  Contexts(
      Unit unit,
      Plan plan,
      Control control,
      InvalidationPort port,
      RootTable root,
      DeviceCaches caches) {
    this.unit = unit;
    this.plan = plan;
    this.control = control;
    this.port = port;
    this.root = root;
    this.caches = caches;
  }

  /**
   * Makes a device, or its requests with one PASID, do something else from now on.
   *
   * @throws DriverException if the unit or the memory fails; the device is attached to nothing then
   */
  final synchronized void move(Attachment who, Space to) {
    Device d = devices.computeIfAbsent(who.source(), s -> new Device(s, plan));
    try {
      settle(d);
      trust(d);
      change(d, who.hasPasid() ? who.pasid() : NO_PROCESS, to);
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
  final synchronized void settle() {
    List.copyOf(owing).forEach(this::settle);
  }

  /** Makes up for what failed before. */
  private void settle(Device d) {
    if (!d.owed.isEmpty()) {
      port.run(d.owed);
      d.owed.clear();
    }
    PasidDirectory orphan = d.orphan;
    if (orphan != null) {
      d.orphan = null;
      orphan.free();
    }
    if (!d.present && !d.spaces.isEmpty()) {
      withoutAts(d); // in the middle of that the unit failed
    }
    owing.remove(d);
  }

  /** Perhaps another device is in its place by now; its cache has to be empty all the same. */
  private void trust(Device d) {
    if (d.distrusted && !d.present) {
      d.unanswered.removeIf(pasid -> caches.forgetSpace(d.source, tag(pasid)));
      d.distrusted = !d.unanswered.isEmpty();
    }
  }

  private static int tag(int pasid) {
    return pasid == NO_PROCESS ? DmaRequest.NO_PASID : pasid;
  }

  /** Carries out invalidations of what is not present any more; if they fail they are owed. */
  final void forget(Device d, Descriptors batch) {
    d.owed.addAll(batch);
    owing.add(d);
    port.run(d.owed);
    d.owed.clear();
    owing.remove(d);
  }

  /** What became present: forgets that it was not, where that may be cached. */
  final void announce(Descriptors batch) {
    if (!batch.isEmpty()) {
      port.run(batch);
    } else if (plan.flushesBuffers()) {
      control.flushBuffers();
    }
  }

  /** All that the device holds for a PASID; if it does not answer it loses ATS. */
  final void forgetInDevice(Device d, int pasid) {
    if (d.distrusted || d.ats && !caches.forgetSpace(d.source, tag(pasid))) {
      d.distrusted = true;
      d.unanswered.add(pasid);
    }
  }

  /** Whether a device may have translations of its own. */
  final boolean mayHaveAts(Device d) {
    return plan.settings().ats() && !d.distrusted;
  }

  abstract void change(Device d, int pasid, Space to);

  /** Makes the context entry say once more what it says, without ATS. */
  abstract void withoutAts(Device d);

  /** Whatever the device could do, it cannot any more, as far as memory says so. */
  abstract void block(Device d);

  private void abandon(Device d) {
    block(d);
    if (d.distrusted || d.ats) {
      d.distrusted = true;
      d.unanswered.addAll(d.spaces.keySet());
    }
    d.present = false;
    d.ats = false;
    d.spaces.clear();
    d.dids.clear();
    if (d.directory != null) {
      d.orphan = d.directory;
      d.directory = null;
    }
    owing.add(d);
  }

  /** Whether the device may hold translations. */
  final synchronized boolean mayCache(int source) {
    Device d = devices.get(source);
    return d != null && d.ats && !d.distrusted;
  }

  /** The device did not answer: from now on it gets no translations, and its own are refused. */
  final synchronized void distrust(int source) {
    Device d = devices.get(source);
    if (d != null && !d.distrusted) {
      d.distrusted = true;
      if (d.present) {
        withoutAts(d);
      }
    }
  }
}
