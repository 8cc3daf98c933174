package org.iommu4j.riscv.driver;

import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.riscv.layout.Capabilities;
import org.iommu4j.riscv.layout.Registers;

/**
 * How the unit calls for attention. §6.18, §6.28, §6.29: messages if the host has an address for
 * them, else wires if the unit has any, else not at all.
 */
final class Interrupts {
  /** One vector for each of the four causes, if there are so many. */
  private static final int CAUSES = 4;

  private Interrupts() {}

  /** Whether wires are to be used, for fctl.WSI. */
  static boolean wires(Plan plan, DriverHost host) {
    int igs = Capabilities.IGS.getInt(plan.capabilities());
    return igs == Capabilities.IGS_WSI
        || (igs == Capabilities.IGS_BOTH && host.messageAddress() == 0);
  }

  /**
   * Chooses vectors and programs the messages.
   *
   * @return whether there are interrupts at all
   */
  static boolean start(Unit unit, Plan plan, DriverHost host) {
    // Each field of icvec keeps as many bits as the unit has vectors for.
    long ones =
        Registers.CIV.mask() | Registers.FIV.mask() | Registers.PMIV.mask() | Registers.PIV.mask();
    unit.write(Registers.ICVEC, ones);
    int vectors = Registers.FIV.getInt(unit.read(Registers.ICVEC)) + 1;
    if (Integer.bitCount(vectors) != 1) {
      throw new DriverException("icvec.fiv keeps %d of 15: not 2^n - 1".formatted(vectors - 1));
    }
    int used = Math.min(vectors, CAUSES);
    int faults = 1 % used;
    unit.write(
        Registers.ICVEC,
        Registers.CIV.of(0)
            | Registers.FIV.of(faults)
            | Registers.PMIV.of(2 % used)
            | Registers.PIV.of(3 % used));
    long icvec = unit.read(Registers.ICVEC);
    if (Registers.CIV.get(icvec) != 0 || Registers.FIV.get(icvec) != faults) {
      throw new DriverException(
          "icvec reads 0x%x: civ 0, fiv %d were written".formatted(icvec, faults));
    }
    if (wires(plan, host)) {
      return true;
    }
    if (host.messageAddress() == 0) {
      return false; // messages only, and nowhere to send them: the driver is polled
    }
    for (int v = 0; v < used; v++) {
      unit.write(Registers.MSI_ADDR.get(v), Registers.MSI_ADDR_FIELD.in(host.messageAddress()));
      unit.write(Registers.MSI_DATA.get(v), host.messageData() + v);
      unit.write(Registers.MSI_VEC_CTL.get(v), 0);
      long stuck = unit.read(Registers.MSI_ADDR.get(v));
      if (stuck != host.messageAddress()) {
        throw new DriverException(
            "msi_addr_%d reads 0x%x after 0x%x was written: messages need a reachable address"
                .formatted(v, stuck, host.messageAddress()));
      }
    }
    return true;
  }
}
