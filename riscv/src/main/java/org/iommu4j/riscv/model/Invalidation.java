package org.iommu4j.riscv.model;

import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.core.iotlb.Iotlb;
import org.iommu4j.core.iotlb.Scope;
import org.iommu4j.riscv.layout.Command;

/** IOTINVAL: which cached translations go. §4.1.1. Called with the command lock held. */
final class Invalidation {
  private final RiscvIommu unit;
  private final Scope scope = new Scope();

  // The range of the command being executed, both ends inclusive.
  private long first;
  private long last;

  Invalidation(RiscvIommu unit) {
    this.unit = unit;
  }

  /**
   * IOTINVAL.VMA: first-stage information. GV = 0 means the spaces without a second stage, GV = 1
   * those of one VM; PSCV = 1 spares global entries, AV = 1 all but the leaves for an address.
   */
  void vma(long command, long operand) {
    boolean gv = Command.GV.isSet(command);
    boolean pscv = Command.PSCV.isSet(command);
    boolean av = Command.AV.isSet(command);
    scope.everything().tag(Tags.GV.mask() | Tags.PSCV.mask(), Tags.PSCV.mask());
    if (gv) {
      scope.tag(
          Tags.GV.mask() | Tags.GSCID.mask(),
          Tags.GV.mask() | Tags.GSCID.of(Command.GSCID.get(command)));
    }
    if (pscv) {
      scope.tag(Tags.PSCID.mask(), Tags.PSCID.of(Command.PSCID.get(command)));
    }
    if (av) {
      range(operand);
      scope.iova(first, last);
    }
    // The IOTLB comes last: a walk that begins in between must not fill it from an old pointer.
    if (unit.config().caches().behaviour() == CacheBehaviour.WORST_CASE) {
      unit.denials().entries.invalidate(scope);
    }
    if (pscv) {
      // One address space, so the whole tag is known: a range of it is found without a search.
      int gscid = Command.GSCID.getInt(command);
      scope.tag(-1, Tags.of(true, Command.PSCID.getInt(command), gv, gscid));
    }
    // Pointers go with a whole space, or with an address if NL asks for it.
    if (!av || Command.NL.isSet(command)) {
      scope.data(pscv ? PagingCaches.globalMask() : 0, 0);
      unit.pagingCaches().firstStage.invalidate(scope);
    }
    scope.data(pscv ? TlbData.G.mask() : 0, 0);
    unit.iotlb().invalidate(scope);
  }

  /**
   * IOTINVAL.GVMA: second-stage information of all VMs (GV = 0) or of one, MSI entries included.
   * The IOTLB holds both stages in one entry, so entries go by their guest-physical address.
   */
  void gvma(long command, long operand) {
    boolean gv = Command.GV.isSet(command);
    scope.everything().tag(Tags.GV.mask(), Tags.GV.mask());
    if (gv) {
      scope.tag(Tags.GSCID.mask(), Tags.GSCID.of(Command.GSCID.get(command)));
    }
    Iotlb secondStage = unit.pagingCaches().secondStage;
    if (gv && Command.AV.isSet(command)) {
      range(operand);
      scope.iova(first, last);
      secondStage.invalidate(scope);
      scope
          .everything()
          .tag(
              Tags.GV.mask() | Tags.GSCID.mask(),
              Tags.GV.mask() | Tags.GSCID.of(Command.GSCID.get(command)))
          .aux(first, last);
    } else {
      secondStage.invalidate(scope);
    }
    unit.iotlb().invalidate(scope);
  }

  /** S = 0: one page. S = 1: the lowest 0 bit of ADDR[63:12] tells the size, NAPOT. */
  private void range(long operand) {
    long page = Command.ADDR.get(operand);
    if (!Command.S.isSet(operand)) {
      first = page << 12;
      last = first | 0xfff;
      return;
    }
    // The ones below the lowest 0, and that 0 itself. Choice: all ones is the whole space.
    long covered = page ^ (page + 1);
    first = (page & ~covered) << 12;
    last = (page | covered) << 12 | 0xfff;
  }
}
