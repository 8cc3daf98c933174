package org.iommu4j.vtd.driver;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.memory.MemoryRegion;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.driver.support.BaseDriver.Parts;
import org.iommu4j.driver.support.IdAllocator;
import org.iommu4j.driver.support.Invalidator;
import org.iommu4j.driver.support.PageTable;
import org.iommu4j.driver.support.TableFormat;
import org.iommu4j.driver.support.Unit;
import org.jspecify.annotations.Nullable;

/** Makes the tables of domains, and hands out the ids that caches tag their translations with. */
final class AddressSpaces {
  private static final long PAGE = 4096;

  private final Unit unit;
  private final Plan plan;

  /**
   * §6.2.2.1: 0 tags what is not present. Choice: never used, whether the unit caches that or not.
   */
  private final IdAllocator dids;

  private @Nullable PageTable memory;
  private Space memorySpace = Space.BLOCKED;

  AddressSpaces(Unit unit, Plan plan) {
    this.unit = unit;
    this.plan = plan;
    this.dids = new IdAllocator("domain id", Space.PASS_THROUGH_DID + 1, plan.domainIds() - 1);
  }

  /** A domain's own table: of the stage that translates, or of what guests stand on. */
  Parts<Space> open(boolean parent, Invalidator invalidator) {
    FirstStageFormat first = plan.first();
    if (first != null && !parent) {
      return translating(
          Space.Kind.FIRST_STAGE, first, first.levels(), first.addressBits(), invalidator);
    }
    SecondStageFormat second = second();
    boolean refuse = parent && plan.settings().quirks().readOnlyNested();
    return translating(
        Space.Kind.SECOND_STAGE,
        refuse ? second.withoutReadOnly() : second,
        second.levels(),
        plan.secondStageBits(),
        invalidator);
  }

  private SecondStageFormat second() {
    SecondStageFormat second = plan.second();
    if (second == null) {
      throw new IllegalStateException("planned without a second stage");
    }
    return second;
  }

  private Parts<Space> translating(
      Space.Kind kind, TableFormat format, int levels, int bits, Invalidator invalidator) {
    int did = dids.take();
    try {
      long sizes = format.pageSizes() & plan.settings().pageSizes();
      PageTable table = new PageTable(unit.memory, unit.frames, format, sizes, invalidator);
      return new Parts<>(Space.of(kind, did, table.root(), levels), table, bits);
    } catch (DriverException e) {
      dids.giveBack(did);
      throw e;
    }
  }

  Parts<Space> nested(Space parent, GuestTable guest) {
    plan.check(guest);
    return new Parts<>(
        new Space(
            Space.Kind.NESTED,
            dids.take(),
            guest.root(),
            guest.levels(),
            parent.root(),
            parent.levels()));
  }

  /** Addresses as they are. Without pass-through: a table that says so, of all memory there is. */
  synchronized Space identity() {
    if (plan.passThrough()) {
      return Space.PASS_THROUGH;
    }
    if (memory == null) {
      Parts<Space> parts = open(false, gather -> {});
      PageTable table = parts.table();
      if (table == null) {
        throw new IllegalStateException("a translating space has a table");
      }
      long end = 1L << Math.min(parts.iovaBits(), plan.haw());
      for (MemoryRegion r : unit.memory.regions()) {
        long first = r.base() + PAGE - 1 & -PAGE;
        long last = Math.min(r.base() + r.size(), end) & -PAGE;
        if (first < last) {
          table.map(first, first, last - first, Access.READ | Access.WRITE);
        }
      }
      memory = table;
      memorySpace = parts.tag();
    }
    return memorySpace;
  }

  /** No cache holds anything of the space any more. */
  void giveBack(Space space) {
    dids.giveBack(space.did());
  }

  /** The unit uses no table any more. */
  synchronized void free() {
    PageTable table = memory;
    if (table != null) {
      memory = null;
      table.free();
    }
  }
}
