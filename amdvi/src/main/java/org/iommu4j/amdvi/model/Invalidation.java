package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.Command;
import org.iommu4j.core.iotlb.Scope;

/**
 * Which cached entries a command removes. Nothing that the command does not name is removed. Called
 * with the command lock held.
 *
 * <p>What is filled from another cache comes after that one, the IOTLB last: a walk that begins in
 * between must not fill it from an old pointer.
 */
final class Invalidation {
  private static final long OF_DOMAIN = Tags.DOMAIN.mask();

  private final AmdviIommu unit;
  private final Scope scope = new Scope();

  // The range of the command being executed, both ends inclusive.
  private long first;
  private long last;

  Invalidation(AmdviIommu unit) {
    this.unit = unit;
  }

  /** INVALIDATE_DEVTAB_ENTRY. */
  void device(int deviceId) {
    unit.entries().invalidate(deviceId);
    unit.cachesChanged();
  }

  /** INVALIDATE_IOMMU_ALL, and whatever moves the tables themselves. */
  void everything() {
    unit.entries().invalidateAll();
    WalkCaches c = unit.walkCaches();
    scope.everything();
    c.host.invalidate(scope);
    c.tables.invalidate(scope);
    c.absent.invalidate(scope);
    c.guest.invalidate(scope);
    unit.iotlb().invalidate(scope);
    unit.cachesChanged();
  }

  /** INVALIDATE_IOMMU_PAGES with GN = 0: host tables, and what lies in front of them. */
  void hostPages(int domain, long operand, boolean pointers) {
    boolean all = range(operand);
    WalkCaches c = unit.walkCaches();
    long host = Tags.host(domain);
    scope.everything().tag(-1, host);
    if (!all) {
      scope.iova(first, last);
    }
    if (pointers) {
      c.host.invalidate(scope);
    }
    c.tables.invalidate(scope);
    c.absent.invalidate(scope);
    if (unit.guestUsed()) {
      // Pointers to guest tables were found in host pages, which ones they do not tell.
      nested(domain);
      c.guest.invalidate(scope);
      scope.everything().tag(-1, host);
      if (!all) {
        scope.iova(first, last);
      }
    }
    unit.iotlb().invalidate(scope);
    if (unit.guestUsed()) {
      // So were translations, and they lead to host pages.
      nested(domain);
      if (!all) {
        scope.aux(first, last);
      }
      unit.iotlb().invalidate(scope);
    }
    unit.cachesChanged();
  }

  /** What goes through guest tables and host tables behind them, of all PASIDs of a domain. */
  private void nested(int domain) {
    long tag = Tags.DOMAIN.of(domain) | Tags.NESTED.mask();
    scope.everything().tag(OF_DOMAIN | Tags.NESTED.mask(), tag);
  }

  /** INVALIDATE_IOMMU_PAGES with GN = 1: guest tables of a PASID. */
  void guestPages(int domain, int pasid, long operand, boolean pointers) {
    boolean all = range(operand);
    guestPages(Tags.guest(domain, pasid, false), all, pointers);
    guestPages(Tags.guest(domain, pasid, true), all, pointers);
    unit.cachesChanged();
  }

  private void guestPages(long tag, boolean all, boolean pointers) {
    scope.everything().tag(-1, tag);
    if (!all) {
      scope.iova(first, last);
    }
    if (pointers) {
      unit.walkCaches().guest.invalidate(scope);
    }
    unit.iotlb().invalidate(scope);
  }

  /**
   * S = 0: one page. S = 1: the lowest 0 bit of the address, from bit 12, tells the size.
   *
   * @return whether the range is everything
   */
  private boolean range(long operand) {
    long page = Command.ADDRESS.get(operand);
    if (!Command.S.isSet(operand)) {
      first = page << 12;
      last = first | 0xfff;
      return false;
    }
    int ones = Long.numberOfTrailingZeros(~page);
    if (ones >= 39) {
      return true; // 2^52 bytes and more
    }
    long covered = (2L << ones) - 1;
    first = (page & ~covered) << 12;
    last = (page | covered) << 12 | 0xfff;
    return false;
  }
}
