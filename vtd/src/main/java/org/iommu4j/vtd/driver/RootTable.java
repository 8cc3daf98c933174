package org.iommu4j.vtd.driver;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ContextEntry;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Registers;
import org.iommu4j.vtd.layout.RootEntry;
import org.iommu4j.vtd.layout.ScalableContextEntry;

/**
 * The root table and the context tables: where a device's context entry is. §3.4.2, §3.4.3. Tables
 * are made when they are first needed, and kept.
 */
final class RootTable {
  private static final int PAGE = 4096;
  private static final int ENTRIES = 256;
  private static final int HALF = 0x80;

  private final Unit unit;
  private final Control control;
  private final InvalidationPort invalidator;
  private final Plan plan;
  private final List<Long> tables = new ArrayList<>();
  private long root;

  RootTable(Unit unit, Control control, InvalidationPort invalidator, Plan plan) {
    this.unit = unit;
    this.control = control;
    this.invalidator = invalidator;
    this.plan = plan;
  }

  private long mode() {
    return Registers.TTM.of(plan.scalable() ? Registers.TTM_SCALABLE : Registers.TTM_LEGACY);
  }

  /**
   * Refuses a unit that someone else drives. One that is on and blocks everything is nobody's: a
   * driver that was closed left it so.
   */
  void claim() {
    if (!Registers.TES.isSet(control.status())) {
      return;
    }
    long rtaddr = unit.read(Registers.RTADDR);
    boolean blocks = Registers.TTM.get(rtaddr) == Registers.TTM_ABORT;
    if (!blocks) {
      long any = 0;
      for (int i = 0; i < ENTRIES * RootEntry.BYTES; i += 8) {
        any |= unit.memory.readLong(Registers.RTA.in(rtaddr) + i);
      }
      blocks = any == 0;
    }
    if (!blocks) {
      throw new DriverException(
          "GSTS_REG reads 0x%x, RTADDR_REG 0x%x: someone else drives this unit; reset it first"
              .formatted(control.status(), rtaddr));
    }
    if (Registers.TTM.in(rtaddr) != mode() && !plan.hasCap(Capability.ESRTPS)) {
      control.set(Registers.TE, Registers.TES, false); // the mode cannot be changed while it is on
    }
  }

  /** Makes the unit use the table, which is empty. */
  void start() {
    root = table();
    use(Registers.RTA.in(root) | mode());
  }

  private void use(long rtaddr) {
    if (plan.flushesBuffers()) {
      control.flushBuffers();
    }
    unit.write(Registers.RTADDR, rtaddr);
    long stuck = unit.read(Registers.RTADDR);
    if (stuck != rtaddr) {
      throw new DriverException(
          "RTADDR_REG reads 0x%x after 0x%x was written: the root table cannot lie at 0x%x"
              .formatted(stuck, rtaddr, Registers.RTA.in(rtaddr)));
    }
    control.once(Registers.SRTP, Registers.RTPS);
    if (!plan.hasCap(Capability.ESRTPS)) {
      forgetEverything();
    }
  }

  /** §6.6: in this order. */
  void forgetEverything() {
    Descriptors d = new Descriptors(plan).forgetContexts();
    if (plan.scalable()) {
      d.forgetPasids();
    }
    invalidator.run(d.forgetTranslations());
  }

  /** Blocks everything, and gives back what the unit does not need for that. */
  void stop() {
    for (int i = 0; i < ENTRIES * RootEntry.BYTES; i += 8) {
      unit.store(root + i, 0);
    }
    forgetEverything();
    boolean abort =
        plan.hasEcap(ExtendedCapability.ADMS) && plan.hasCap(Capability.ESRTPS) && plan.queued();
    if (abort) {
      use(Registers.TTM.of(Registers.TTM_ABORT));
    }
    for (long t : tables) {
      if (abort || t != root) {
        unit.frames.free(t, PAGE);
      }
    }
    tables.clear();
  }

  private long table() {
    long at = unit.frames.allocate(PAGE);
    tables.add(at);
    return at;
  }

  /**
   * Address of a device's context entry.
   *
   * @param d receives what has to be invalidated because a table was made
   */
  long context(int source, Descriptors d) {
    int bus = source >>> 8;
    int function = source & 0xff;
    boolean upper = plan.scalable() && function >= HALF;
    long at = root + (long) bus * RootEntry.BYTES + (upper ? 8 : 0);
    long entry = unit.memory.readLong(at);
    long table = RootEntry.CTP.in(entry);
    if (!RootEntry.P.isSet(entry)) {
      table = table();
      unit.link(at, RootEntry.P.mask() | table);
      if (plan.cachesAbsent()) {
        d.forgetContexts();
        if (plan.scalable()) {
          d.forgetPasids();
        }
        d.forgetTranslations();
      }
    }
    return plan.scalable()
        ? table + (long) (function & HALF - 1) * ScalableContextEntry.BYTES
        : table + (long) function * ContextEntry.BYTES;
  }
}
