package org.iommu4j.vtd.driver;

import java.util.List;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.vtd.layout.ScalableContextEntry;

/**
 * Context entries and PASID entries of scalable mode. §3.4.3, §9.4 to §9.6.
 *
 * <p>A context entry is present as long as anything of the device is allowed, and says the same all
 * the time: what requests with and without PASID may do is in the PASID entries, 0 for those
 * without.
 */
final class ScalableContexts extends Contexts {
  private final PageRequests requests;

  ScalableContexts(
      Unit unit,
      Plan plan,
      Control control,
      InvalidationPort port,
      RootTable root,
      DeviceCaches caches,
      PageRequests requests) {
    super(unit, plan, control, port, root, caches);
    this.requests = requests;
  }

  @Override
  void change(Device d, int pasid, Space to) {
    removePasid(d, pasid);
    if (d.distrusted && d.ats && d.present) {
      withoutAts(d);
    }
    if (to.allowed()) {
      addPasid(d, pasid, to);
    }
    if (d.spaces.isEmpty()) {
      remove(d);
    }
  }

  private void removePasid(Device d, int pasid) {
    Space old = d.spaces.get(pasid);
    PasidDirectory directory = d.directory;
    if (old == null || directory == null) {
      return;
    }
    directory.clear(pasid);
    forget(d, forgetting(old, pasid));
    forgetInDevice(d, pasid);
    d.spaces.remove(pasid);
    if (plan.settings().pri()) {
      requests.drain(d.source, pasid == NO_PROCESS ? -1 : pasid);
    }
  }

  private Descriptors forgetting(Space old, int pasid) {
    Descriptors batch = new Descriptors(plan).forgetPasid(old.did(), pasid);
    return old.secondStage()
        ? batch.forgetDomain(old.did())
        : batch.forgetProcess(old.did(), pasid);
  }

  private void addPasid(Device d, int pasid, Space to) {
    Descriptors batch = new Descriptors(plan);
    long at = root.context(d.source, batch);
    PasidDirectory directory = d.directory;
    if (directory == null) {
      directory = new PasidDirectory(unit, plan);
      d.directory = directory;
    }
    directory.set(pasid, to);
    d.spaces.put(pasid, to);
    d.dids.add(to.did());
    if (!d.present) {
      writeContext(d, at, directory, batch);
    }
    if (plan.cachesAbsent()) {
      // What was not present is cached under domain id 0; the new one is what Linux names.
      batch.forgetPasid(0, pasid).forgetPasid(to.did(), pasid).forgetProcess(to.did(), pasid);
    }
    announce(batch);
  }

  private void writeContext(Device d, long at, PasidDirectory directory, Descriptors batch) {
    d.ats = mayHaveAts(d);
    for (int i = 8; i < ScalableContextEntry.BYTES; i += 8) {
      unit.store(at + i, 0); // RID_PASID is 0
    }
    unit.link(
        at,
        ScalableContextEntry.P.mask()
            | (d.ats ? ScalableContextEntry.DTE.mask() : 0)
            | (d.ats && plan.settings().pri() ? ScalableContextEntry.PRE.mask() : 0)
            | (plan.pasidBits() > 0 ? ScalableContextEntry.PASIDE.mask() : 0)
            | ScalableContextEntry.PDTS.of(plan.directorySize())
            | ScalableContextEntry.PASIDDIRPTR.in(directory.root));
    d.present = true;
    if (plan.cachesAbsent()) {
      batch.forgetContext(d.source, 0).forgetPasidsOf(0).forgetDomain(0);
    }
  }

  /** No PASID entry is present any more: the context entry goes, too, and the directory. */
  private void remove(Device d) {
    PasidDirectory directory = d.directory;
    if (directory == null) {
      return;
    }
    if (d.present) {
      clear(d);
      d.present = false;
      forget(d, forgettingContext(d));
      forgetInDevice(d, NO_PROCESS);
      d.ats = false;
    }
    d.dids.clear();
    d.directory = null;
    directory.free();
  }

  private void clear(Device d) {
    long at = root.context(d.source, d.owed);
    unit.store(at, unit.memory.readLong(at) & ~ScalableContextEntry.P.mask());
  }

  private Descriptors forgettingContext(Device d) {
    Descriptors batch = new Descriptors(plan).forgetContext(d.source, 0);
    // PASID caches of domains whose entries are gone hold nothing, unless absence is cached.
    if (plan.cachesAbsent() || !d.spaces.isEmpty()) {
      d.dids.forEach(batch::forgetPasidsOf);
    }
    d.dids.forEach(batch::forgetDomain);
    return batch;
  }

  @Override
  void withoutAts(Device d) {
    PasidDirectory directory = d.directory;
    if (directory == null) {
      return;
    }
    clear(d);
    d.present = false;
    forget(d, forgettingContext(d));
    Descriptors batch = new Descriptors(plan);
    writeContext(d, root.context(d.source, batch), directory, batch);
    announce(batch);
  }

  @Override
  void block(Device d) {
    PasidDirectory directory = d.directory;
    if (directory == null) {
      return;
    }
    if (d.present) {
      clear(d);
    }
    List.copyOf(d.spaces.keySet()).forEach(directory::clear);
    d.spaces.forEach((pasid, space) -> d.owed.addAll(forgetting(space, pasid)));
    d.owed.addAll(forgettingContext(d));
  }
}
