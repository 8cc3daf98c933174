package org.iommu4j.vtd.driver;

import org.iommu4j.driver.support.Unit;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ContextEntry;

/** Context entries of legacy mode. §3.4.2, §9.3. */
final class LegacyContexts extends Contexts {
  LegacyContexts(
      Unit unit,
      Plan plan,
      Control control,
      InvalidationPort port,
      RootTable root,
      DeviceCaches caches) {
    super(unit, plan, control, port, root, caches);
  }

  @Override
  void change(Device d, int pasid, Space to) {
    Descriptors batch = new Descriptors(plan);
    long at = root.context(d.source, batch);
    remove(d, at);
    if (to.allowed()) {
      write(d, at, to, batch);
    } else {
      d.spaces.clear();
    }
  }

  private void remove(Device d, long at) {
    Space old = d.spaces.get(NO_PROCESS);
    if (!d.present || old == null) {
      return;
    }
    clear(at);
    d.present = false;
    forget(d, forgetting(d, old));
    forgetInDevice(d, NO_PROCESS);
    d.ats = false;
    unit.store(at, 0);
    unit.store(at + 8, 0);
  }

  private void clear(long at) {
    unit.store(at, unit.memory.readLong(at) & ~ContextEntry.P.mask());
  }

  private Descriptors forgetting(Device d, Space old) {
    return new Descriptors(plan).forgetContext(d.source, old.did()).forgetDomain(old.did());
  }

  private void write(Device d, long at, Space to, Descriptors batch) {
    boolean passes = to.kind() == Space.Kind.PASS_THROUGH;
    boolean ats = !passes && mayHaveAts(d);
    int type =
        passes
            ? ContextEntry.TT_PASS_THROUGH
            : ats ? ContextEntry.TT_ATS : ContextEntry.TT_UNTRANSLATED;
    // Who passes through has to name the largest width there is.
    int largest = Integer.highestOneBit(Capability.SAGAW.getInt(plan.cap()));
    int width =
        passes ? Integer.numberOfTrailingZeros(largest) : SecondStageFormat.width(to.levels());
    unit.store(at + 8, ContextEntry.AW.of(width) | ContextEntry.DID.of(to.did()));
    unit.link(
        at, ContextEntry.P.mask() | ContextEntry.TT.of(type) | ContextEntry.SSPTPTR.in(to.root()));
    d.present = true;
    d.ats = ats;
    d.spaces.put(NO_PROCESS, to);
    if (plan.cachesAbsent()) {
      // What was not present is cached under domain id 0.
      batch.forgetContext(d.source, 0).forgetDomain(to.did());
    }
    announce(batch);
  }

  @Override
  void withoutAts(Device d) {
    Space space = d.spaces.get(NO_PROCESS);
    if (space != null) {
      change(d, NO_PROCESS, space);
    }
  }

  @Override
  void block(Device d) {
    Space old = d.spaces.get(NO_PROCESS);
    if (d.present && old != null) {
      clear(root.context(d.source, d.owed));
      d.owed.addAll(forgetting(d, old));
    }
  }
}
