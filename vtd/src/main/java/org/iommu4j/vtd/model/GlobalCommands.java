package org.iommu4j.vtd.model;

import static org.iommu4j.vtd.layout.Registers.GSTS;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.Registers;
import org.jspecify.annotations.Nullable;

/**
 * GCMD_REG and what it latches. §11.4, Global Command Register. Called with the command lock and
 * the state lock held.
 *
 * <p>Choice: software has to give one command at a time. Of several in one write the pointers come
 * first, then the enables: SRTP, SIRTP, QIE, CFI, IRE, TE.
 */
final class GlobalCommands {
  private final VtdIommu unit;

  /** RTADDR_REG as SRTP latched it. */
  private long rtaddr;

  /** SIRTP was given and the remapper does not have the table yet. */
  private boolean newTable;

  GlobalCommands(VtdIommu unit) {
    this.unit = unit;
  }

  /** A write to GCMD_REG. */
  void written(long command) {
    RegisterFile r = unit.registers();
    r.post(Registers.GCMD, 0);
    UnitConfig c = unit.config();
    if (Registers.SRTP.isSet(command)) {
      rtaddr = r.get(Registers.RTADDR);
      r.post(GSTS, Registers.RTPS, 1);
      unit.refresh();
      if (Capability.ESRTPS.isSet(c.cap())) {
        unit.invalidation().everything();
      }
      unit.page().drainLater();
    }
    if (c.has(ExtendedCapability.IR) && Registers.SIRTP.isSet(command)) {
      newTable = true;
      r.post(GSTS, Registers.IRTPS, 1);
    }
    if (c.has(ExtendedCapability.QI)) {
      queue(r, Registers.QIE.isSet(command));
    }
    if (c.has(ExtendedCapability.IR)) {
      interrupts(r, Registers.IRE.isSet(command), Registers.CFI.isSet(command));
    }
    translation(r, Registers.TE.isSet(command));
    if (r.get(GSTS, Registers.TES) == 0 && r.get(GSTS, Registers.IRES) == 0) {
      unit.faultLog().reset();
    }
    // The write buffer is flushed when the write returns; with CAP.RWBF = 0 there is none.
    unit.page().runLater();
  }

  private void queue(RegisterFile r, boolean on) {
    boolean was = r.get(GSTS, Registers.QIES) != 0;
    if (on && !was) {
      r.post(GSTS, Registers.QIES, 1);
      unit.queue().start(r.get(Registers.IQA));
    } else if (was && !on) {
      r.post(GSTS, Registers.QIES, 0);
      unit.queue().stop();
    }
  }

  private void interrupts(RegisterFile r, boolean on, boolean compatibility) {
    boolean was = r.get(GSTS, Registers.IRES) != 0;
    // Without a table there is nothing to remap by.
    boolean enabled = on && (was || r.get(GSTS, Registers.IRTPS) != 0);
    r.post(GSTS, Registers.CFIS, compatibility ? 1 : 0);
    r.post(GSTS, Registers.IRES, enabled ? 1 : 0);
    unit.page().interruptsLater();
  }

  /**
   * Tells the remapper what SIRTP, IRE and CFI changed. Without the state lock: the remapper's own
   * is held by messages that may wait for it to report a fault.
   */
  void interruptsChanged() {
    long irta;
    long gsts;
    synchronized (unit.state()) {
      irta = unit.registers().get(Registers.IRTA);
      gsts = unit.registers().get(GSTS);
    }
    if (newTable) {
      newTable = false;
      unit.interrupts().table(irta);
    }
    unit.interrupts().enable(Registers.IRES.isSet(gsts), Registers.CFIS.isSet(gsts));
  }

  private void translation(RegisterFile r, boolean on) {
    boolean was = r.get(GSTS, Registers.TES) != 0;
    if (on == was || (on && r.get(GSTS, Registers.RTPS) == 0)) {
      return; // without a root table there is nothing to translate by
    }
    r.post(GSTS, Registers.TES, on ? 1 : 0);
    unit.refresh();
    if (!on && unit.config().has(ExtendedCapability.SMTS)) {
      unit.invalidation().everything();
    }
    unit.page().drainLater();
  }

  /** PMEN_REG or a region register was written. */
  void protectionChanged() {
    RegisterFile r = unit.registers();
    r.post(Registers.PMEN, Registers.PMEN_PRS, r.get(Registers.PMEN, Registers.EPM));
    unit.refresh();
    unit.page().drainLater();
  }

  /** What translations depend on now. */
  Setup setup(boolean counting) {
    RegisterFile r = unit.registers();
    @Nullable ProtectedMemory protectedMemory =
        r.get(Registers.PMEN, Registers.EPM) == 0
            ? null
            : ProtectedMemory.of(
                region(r, Capability.PLMR, Registers.PLMBASE, -1L),
                region(r, Capability.PLMR, Registers.PLMLIMIT, 0),
                region(r, Capability.PHMR, Registers.PHMBASE, -1L),
                region(r, Capability.PHMR, Registers.PHMLIMIT, 0));
    return new Setup(
        unit.host().memory(),
        unit.config(),
        r.get(GSTS, Registers.TES) != 0,
        rtaddr,
        protectedMemory,
        counting);
  }

  private long region(RegisterFile r, Field capability, Register register, long absent) {
    return capability.isSet(unit.config().cap()) ? r.get(register) : absent;
  }

  /** The registers were set to what a capture shows: everything counts as latched. */
  void restore() {
    RegisterFile r = unit.registers();
    rtaddr = r.get(Registers.RTADDR);
    newTable = true;
    unit.page().interruptsLater();
    long head = r.get(Registers.IQH);
    unit.queue().start(r.get(Registers.IQA));
    r.post(Registers.IQH, head);
    unit.refresh();
  }
}
