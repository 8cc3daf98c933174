package org.iommu4j.riscv.model;

import static org.iommu4j.riscv.layout.Registers.CIP;
import static org.iommu4j.riscv.layout.Registers.CIV;
import static org.iommu4j.riscv.layout.Registers.FIP;
import static org.iommu4j.riscv.layout.Registers.FIV;
import static org.iommu4j.riscv.layout.Registers.ICVEC;
import static org.iommu4j.riscv.layout.Registers.IPSR;
import static org.iommu4j.riscv.layout.Registers.PIP;
import static org.iommu4j.riscv.layout.Registers.PIV;
import static org.iommu4j.riscv.layout.Registers.PMIP;
import static org.iommu4j.riscv.layout.Registers.PMIV;

import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.memory.PhysicalMemory;
import org.iommu4j.riscv.layout.Registers;

/**
 * ipsr and what follows from a bit in it: a message on the edge, or a wire as long as it is set.
 * §6.18, §6.28, §6.29. Called with the unit's state lock held.
 */
final class Interrupts {
  private static final List<Field> PENDING = List.of(CIP, FIP, PMIP, PIP);
  private static final List<Field> VECTOR = List.of(CIV, FIV, PMIV, PIV);

  private final RiscvIommu unit;

  /** Bit v: a message of vector v waits for its mask to be cleared. */
  private int waiting;

  Interrupts(RiscvIommu unit) {
    this.unit = unit;
  }

  /** Sets a bit of ipsr; a message goes out if it was 0. */
  void raise(Field cause) {
    RegisterFile r = unit.registers();
    if (r.get(IPSR, cause) != 0) {
      return;
    }
    r.post(IPSR, cause, 1);
    if (r.get(Registers.FCTL, Registers.WSI) != 0) {
      driveWires();
      return;
    }
    int vector = VECTOR.get(PENDING.indexOf(cause)).getInt(r.get(ICVEC));
    if (r.get(Registers.MSI_VEC_CTL.get(vector), Registers.MSI_MASK) != 0) {
      waiting |= 1 << vector;
    } else {
      send(vector);
    }
  }

  /** Each wire is the OR of the bits whose causes are mapped to it. */
  void driveWires() {
    RegisterFile r = unit.registers();
    if (r.get(Registers.FCTL, Registers.WSI) == 0) {
      return;
    }
    drive(pendingWires(r));
  }

  /** fctl.WSI has changed: the wires are driven now, or not any more. */
  void modeChanged() {
    RegisterFile r = unit.registers();
    drive(r.get(Registers.FCTL, Registers.WSI) != 0 ? pendingWires(r) : 0);
  }

  private static int pendingWires(RegisterFile r) {
    int levels = 0;
    for (int i = 0; i < PENDING.size(); i++) {
      if (r.get(IPSR, PENDING.get(i)) != 0) {
        levels |= 1 << VECTOR.get(i).getInt(r.get(ICVEC));
      }
    }
    return levels;
  }

  private void drive(int levels) {
    for (int line = 0; line < 1 << unit.config().vectorBits(); line++) {
      unit.host().lines().set(line, (levels >>> line & 1) != 0);
    }
  }

  /** A mask bit went from 1 to 0: what waited is sent. */
  void unmasked(int vector) {
    boolean messages = unit.registers().get(Registers.FCTL, Registers.WSI) == 0;
    if (messages && (waiting >>> vector & 1) != 0) {
      waiting &= ~(1 << vector);
      send(vector);
    }
  }

  private void send(int vector) {
    RegisterFile r = unit.registers();
    long address = r.get(Registers.MSI_ADDR.get(vector));
    int data = (int) r.get(Registers.MSI_DATA.get(vector));
    int stored = unit.setup().be ? Integer.reverseBytes(data) : data;
    if ((address & unit.setup().beyond) != 0
        || unit.host().memory().postInt(address, stored) != PhysicalMemory.OK) {
      unit.faultQueue().messageFailed(address);
    }
  }
}
