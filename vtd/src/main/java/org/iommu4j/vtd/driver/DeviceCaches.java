package org.iommu4j.vtd.driver;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.driver.support.Gather;

/**
 * The translation caches that devices have themselves (ATS). They are made to forget only after the
 * unit's own caches have, because a device may ask again at once.
 *
 * <p>A device that does not answer is asked once more, alone; then it is given up, and the caller
 * has to take ATS away from it, or the pages that it may still hold are never out of its reach.
 */
final class DeviceCaches {
  private static final int ATTEMPTS = 2;
  private static final int ANY_SIZE = 63;

  private final InvalidationPort invalidator;
  private final Plan plan;
  private final List<String> conditions = new ArrayList<>();

  DeviceCaches(InvalidationPort invalidator, Plan plan) {
    this.invalidator = invalidator;
    this.plan = plan;
  }

  /** Everything that it holds for a PASID, or for requests without; false if it does not answer. */
  boolean forgetSpace(int source, int pasid) {
    return ask(source, new Descriptors(plan).forgetAllInDevice(source, pasid));
  }

  /** What was unmapped; false if it does not answer. */
  boolean forget(int source, int pasid, Gather gather) {
    if (gather.everything()) {
      return forgetSpace(source, pasid);
    }
    Descriptors d = new Descriptors(plan);
    for (int i = 0; i < gather.ranges(); i++) {
      // Devices hold pages only, whatever tables led to them.
      if (!gather.isTable(i)) {
        Invalidations.blocks(
            gather.first(i),
            gather.last(i),
            ANY_SIZE,
            (at, shift) -> d.forgetInDevice(source, pasid, at, shift));
      }
    }
    return d.size() > plan.settings().flushLimit()
        ? forgetSpace(source, pasid)
        : d.isEmpty() || ask(source, d);
  }

  /** A range; false if it does not answer. */
  boolean forget(int source, int pasid, long first, long last) {
    Descriptors d = new Descriptors(plan);
    Invalidations.blocks(
        first, last, ANY_SIZE, (at, shift) -> d.forgetInDevice(source, pasid, at, shift));
    return ask(source, d);
  }

  private boolean ask(int source, Descriptors once) {
    Descriptors d = once;
    if (plan.settings().quirks().qatExtraFlush()) {
      d = new Descriptors(plan).addAll(once).addAll(once);
    }
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (invalidator.ask(d)) {
        return true;
      }
    }
    synchronized (conditions) {
      conditions.add(
          "device 0x%x does not answer invalidations: ATS is turned off for it".formatted(source));
    }
    return false;
  }

  List<String> conditions() {
    synchronized (conditions) {
      List<String> all = List.copyOf(conditions);
      conditions.clear();
      return all;
    }
  }
}
