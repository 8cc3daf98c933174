package org.iommu4j.amdvi.driver;

import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.support.Gather;

/**
 * Which commands make the unit forget: a range is one command, PDE = 1 where the ways to pages
 * went, too; many ranges are the whole domain, or PASID. 48882, "INVALIDATE_IOMMU_PAGES".
 */
final class Invalidations {
  /** Host tables have no PASIDs. */
  static final int HOST = -1;

  private Invalidations() {}

  /** What was unmapped from tables. */
  static void unmapped(Batch batch, Plan plan, int domain, int pasid, Gather gather) {
    if (isMuch(plan, gather)) {
      batch.forgetSpace(domain, pasid);
      return;
    }
    for (int i = 0; i < gather.ranges(); i++) {
      batch.forget(domain, pasid, gather.first(i), gather.last(i), gather.hasTables());
    }
  }

  static boolean isMuch(Plan plan, Gather gather) {
    return gather.everything() || gather.ranges() > plan.settings().flushLimit();
  }

  /**
   * A guest's tables of one PASID.
   *
   * @param size 0 for all of them
   */
  static void guest(Batch batch, int domain, int pasid, long iova, long size, boolean leaf) {
    if (size == 0) {
      batch.forgetSpace(domain, pasid);
    } else {
      batch.forget(domain, pasid, iova, iova + size - 1, !leaf);
    }
  }

  /**
   * Everything of a nested domain: the host's tables, and the guest's of all PASIDs. No command
   * names the PASIDs of a domain at once, so that many are the whole unit where it takes that.
   */
  static void nested(Batch batch, Plan plan, int domain, GuestTable guest) {
    int pasids = plan.reach(guest);
    if (pasids > plan.settings().flushLimit() && plan.has(ExtendedFeatures.IA_SUP)) {
      batch.forgetAll();
      return;
    }
    for (int pasid = 0; pasid < pasids; pasid++) {
      batch.forgetSpace(domain, pasid);
    }
    batch.forgetSpace(domain, HOST);
  }
}
