package org.iommu4j.riscv.driver;

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
  /** Log2 of all addresses. */
  private static final int ALL = 64;

  private static final int ATTEMPTS = 2;

  private final CommandQueue commands;
  private final List<String> conditions = new ArrayList<>();

  DeviceCaches(CommandQueue commands) {
    this.commands = commands;
  }

  /** Everything that the device holds; false if it does not answer. */
  boolean forgetAll(int source) {
    return ask(source, new Commands().forgetAllInDevice(source));
  }

  /** Everything that it holds for a PASID, or for requests without; false if it does not answer. */
  boolean forgetSpace(int source, int pasid) {
    return ask(source, new Commands().forgetInDevice(source, pasid, 0, ALL));
  }

  /** What was unmapped; false if it does not answer. */
  boolean forget(int source, int pasid, Gather gather) {
    if (gather.everything()) {
      return forgetSpace(source, pasid);
    }
    Commands c = new Commands();
    for (int i = 0; i < gather.ranges(); i++) {
      // Devices hold pages only, whatever tables led to them.
      if (!gather.isTable(i)) {
        Invalidations.blocks(
            gather.first(i),
            gather.last(i),
            (at, shift) -> c.forgetInDevice(source, pasid, at, shift));
      }
    }
    return c.isEmpty() || ask(source, c);
  }

  private boolean ask(int source, Commands c) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (commands.ask(c)) {
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
