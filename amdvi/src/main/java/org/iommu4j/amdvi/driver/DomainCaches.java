package org.iommu4j.amdvi.driver;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.support.Attachment;
import org.iommu4j.driver.support.Gather;
import org.iommu4j.driver.support.ManagedDomain;

/**
 * What caches hold of a domain, in the unit and in devices, and how they forget it: the unit first,
 * because a device may ask again at once. The domain's lock is held.
 */
final class DomainCaches {
  private final Plan plan;
  private final CommandRing commands;
  private final Contexts contexts;

  DomainCaches(Plan plan, CommandRing commands, Contexts contexts) {
    this.plan = plan;
    this.commands = commands;
    this.contexts = contexts;
  }

  /** What was unmapped. */
  void forget(ManagedDomain<Space> domain, Gather gather) {
    // What was cleared before who is attached: whoever comes later walks tables without it.
    VarHandle.fullFence();
    Batch batch = new Batch();
    forEachTag(domain, (id, pasid) -> Invalidations.unmapped(batch, plan, id, pasid, gather));
    run(batch);
    if (plan.settings().ats()) {
      // Read after the wait: who is attached since then has seen the new tables only.
      for (Attachment who : domain.attachments()) {
        forgetInDevice(who, gather);
      }
      domain.nested().forEach(this::forgetInDevices);
    }
    // Last: who was not found above because its move failed meanwhile owes it since then.
    contexts.settle();
  }

  /** That nothing was mapped in a range. */
  void forgetAbsent(ManagedDomain<Space> domain, long iova, long size) {
    VarHandle.fullFence();
    Batch batch = new Batch();
    forEachTag(domain, (id, pasid) -> batch.forget(id, pasid, iova, iova + size - 1, true));
    run(batch);
  }

  /**
   * What a guest has changed in the tables of a PASID.
   *
   * @param size 0 for all of them
   */
  void forgetGuest(ManagedDomain<Space> domain, int pasid, long iova, long size, boolean leafOnly) {
    GuestTable guest = domain.tag().guest();
    if (guest == null || pasid < 0 || pasid >>> guest.pasidBits() != 0) {
      throw new IllegalArgumentException("PASID %d is not one of %s".formatted(pasid, guest));
    }
    VarHandle.fullFence();
    // Whether devices use the domain or not: caches keep the ways through the guest's tables.
    Batch batch = new Batch();
    Invalidations.guest(batch, domain.tag().domainId(), pasid, iova, size, leafOnly);
    run(batch);
    long first = size == 0 ? 0 : iova;
    long last = size == 0 ? -1 : iova + size - 1;
    for (Attachment who : domain.attachments()) {
      contexts.forgetInDevice(who.source(), pasid, first, last);
    }
    contexts.settle();
  }

  /** Everything of a nested domain. */
  void forgetAll(ManagedDomain<Space> domain) {
    VarHandle.fullFence();
    retire(domain);
    forgetInDevices(domain);
    contexts.settle();
  }

  /** All that the unit holds under the domain's id; no device uses it any more. */
  void retire(ManagedDomain<Space> domain) {
    Batch batch = new Batch();
    GuestTable guest = domain.tag().guest();
    if (guest != null) {
      Invalidations.nested(batch, plan, domain.tag().domainId(), guest);
    } else {
      batch.forgetSpace(domain.tag().domainId(), Invalidations.HOST);
    }
    run(batch);
  }

  /** What the unit's caches tag translations of a domain with. */
  private interface Tagged {
    void by(int domainId, int pasid);
  }

  private void forEachTag(ManagedDomain<Space> domain, Tagged what) {
    if (domain.tag().throughHost()) {
      usersOf(domain).forEach(user -> what.by(user.tag().domainId(), Invalidations.HOST));
      return;
    }
    for (Attachment who : domain.attachments()) {
      int id = contexts.domainId(who.source());
      if (id >= 0) { // else not attached yet: it walks the tables as they are now
        what.by(id, pasid(who));
      }
    }
  }

  private void run(Batch batch) {
    if (!batch.isEmpty()) {
      commands.run(batch);
    }
  }

  /** A host table's own domain, and those nested on it, as far as devices use them. */
  private static List<ManagedDomain<Space>> usersOf(ManagedDomain<Space> domain) {
    List<ManagedDomain<Space>> all = new ArrayList<>(domain.nested());
    all.addFirst(domain);
    all.removeIf(d -> d.attachments().isEmpty());
    return all;
  }

  private static int pasid(Attachment who) {
    return who.hasPasid() ? who.pasid() : Contexts.NO_PROCESS;
  }

  /** Devices do not say which guest-physical pages a translation of theirs went through. */
  private void forgetInDevices(ManagedDomain<Space> nested) {
    for (Attachment who : nested.attachments()) {
      contexts.forgetAllInDevice(who.source());
    }
  }

  private void forgetInDevice(Attachment who, Gather gather) {
    if (Invalidations.isMuch(plan, gather)) {
      contexts.forgetInDevice(who.source(), pasid(who), 0, -1L);
      return;
    }
    for (int i = 0; i < gather.ranges(); i++) {
      contexts.forgetInDevice(who.source(), pasid(who), gather.first(i), gather.last(i));
    }
  }
}
