package org.iommu4j.vtd.model;

import org.iommu4j.core.iotlb.Scope;

/**
 * Which cached entries an invalidation removes: the table of §6.5, for descriptors and registers
 * alike. Nothing that the command does not name is removed, but where tags are shared. Called with
 * the command lock held.
 *
 * <p>The IOTLB comes last: a walk that begins in between must not fill it from an old pointer.
 */
final class Invalidation {
  private final VtdIommu unit;
  private final Scope scope = new Scope();

  Invalidation(VtdIommu unit) {
    this.unit = unit;
  }

  /** Context cache, all of it. */
  void contextGlobal() {
    unit.contexts().invalidateContexts((source, did) -> true);
    unit.contexts().invalidateLegacy((source, did) -> true);
    unit.cachesChanged();
  }

  /** Context cache by domain; in scalable mode that is all of it. */
  void contextDomain(int domain) {
    unit.contexts().invalidateContexts((source, did) -> true);
    unit.contexts().invalidateLegacy((source, did) -> did == domain);
    unit.cachesChanged();
  }

  /**
   * Context cache by device.
   *
   * @param mask FM: how many function bits are ignored, from bit 2 down
   */
  void contextDevice(int sid, int mask, int domain) {
    int compared = 0xffff & ~(mask == 0 ? 0 : mask == 1 ? 0b100 : mask == 2 ? 0b110 : 0b111);
    unit.contexts().invalidateContexts((source, did) -> ((source ^ sid) & compared) == 0);
    unit.contexts()
        .invalidateLegacy((source, did) -> ((source ^ sid) & compared) == 0 && did == domain);
    unit.cachesChanged();
  }

  /** PASID cache; −1 is all. */
  void pasidCache(int domain, int pasid) {
    unit.contexts().invalidatePasids(domain, pasid);
    unit.cachesChanged();
  }

  /** IOTLB and paging-structure caches, all of them. */
  void translationsGlobal() {
    scope.everything();
    removeEverywhere();
  }

  /** IOTLB and paging-structure caches of a domain. */
  void translationsDomain(int domain) {
    scope.everything().tag(Tags.DID.mask(), Tags.DID.of(domain));
    removeEverywhere();
  }

  private void removeEverywhere() {
    WalkCaches c = unit.walkCaches();
    c.firstStage.invalidate(scope);
    c.secondStage.invalidate(scope);
    c.guest.invalidate(scope);
    c.absent.invalidate(scope);
    unit.iotlb().invalidate(scope);
    unit.cachesChanged();
  }

  /**
   * Pages of a domain: second-stage translations of the range; of what goes through a first stage,
   * everything.
   *
   * @param mask AM: pages are those whose numbers agree without their low AM bits
   * @param leafOnly IH: pointers to tables have not changed
   */
  void translationsPage(int domain, long address, int mask, boolean leafOnly) {
    long first = first(address, mask);
    long last = last(address, mask);
    WalkCaches c = unit.walkCaches();
    long second = Tags.second(domain);
    if (!leafOnly) {
      c.secondStage.invalidate(scope.everything().tag(-1, second).iova(first, last));
    }
    c.guest.invalidate(scope.everything().tag(-1, second).iova(first, last));
    c.absent.invalidate(scope.everything().tag(-1, second).iova(first, last));
    if (unit.firstStageUsed()) {
      scope
          .everything()
          .tag(Tags.DID.mask() | Tags.FIRST.mask(), Tags.DID.of(domain) | Tags.FIRST.mask());
      c.firstStage.invalidate(scope);
      unit.iotlb().invalidate(scope);
    }
    if (unit.setup().worst) {
      scope
          .everything()
          .tag(Tags.DID.mask() | Tags.FIRST.mask(), Tags.DID.of(domain))
          .iova(first, last);
    } else {
      scope.everything().tag(-1, second).iova(first, last);
    }
    unit.iotlb().invalidate(scope);
    unit.cachesChanged();
  }

  /** All translations of a PASID in a domain. */
  void pasidTranslations(int domain, int pasid) {
    long first = Tags.first(domain, pasid);
    unit.walkCaches().firstStage.invalidate(scope.everything().tag(-1, first));
    unit.iotlb().invalidate(scope.everything().tag(-1, first));
    // Second-stage translations of the PASID: they are the domain's, unless they are kept apart.
    scope.everything();
    if (unit.setup().worst) {
      scope.tag(-1, Tags.exact(domain, pasid));
    } else {
      scope.tag(-1, Tags.second(domain));
    }
    unit.iotlb().invalidate(scope);
    unit.cachesChanged();
  }

  /** Pages of a PASID in a domain: what goes through a first stage. */
  void pasidPages(int domain, int pasid, long address, int mask, boolean leafOnly) {
    long first = first(address, mask);
    long last = last(address, mask);
    scope.everything().tag(-1, Tags.first(domain, pasid)).iova(first, last);
    if (!leafOnly) {
      unit.walkCaches().firstStage.invalidate(scope);
    }
    unit.iotlb().invalidate(scope);
    unit.cachesChanged();
  }

  /**
   * A page request is answered. The descriptor does not name the page, so all of the PASID goes, or
   * of the domain where a second stage is in use; of a source that no cache knows, everything.
   *
   * @param pasid negative for none
   */
  void responded(int source, int pasid) {
    ScalableContext c = unit.contexts().context(source);
    Space space = c == null ? null : unit.contexts().space(source, pasid >= 0 ? pasid : c.ridPasid);
    if (space == null) {
      translationsGlobal();
    } else if (space.kind == Space.FIRST) {
      pasidTranslations(space.did, space.pasid);
    } else {
      translationsDomain(space.did);
    }
    unit.windows().drain();
  }

  /** Every cache of DMA remapping. */
  void everything() {
    unit.contexts().invalidateAll();
    translationsGlobal();
  }

  private static long first(long address, int mask) {
    return mask >= 52 ? 0 : address & -1L << (mask + 12);
  }

  private static long last(long address, int mask) {
    return mask >= 52 ? -1 : first(address, mask) | (1L << (mask + 12)) - 1;
  }
}
