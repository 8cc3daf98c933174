package org.iommu4j.vtd.model;

import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.vtd.layout.Registers;

/**
 * One of the unit's own interrupts: a control register with IP and IM, a message, and the status
 * bits that it announces. The four kinds are alike. §7.3, §7.5, §6.5.2, §11.4. Called with the
 * state lock held.
 */
final class Event {
  private final VtdIommu unit;
  private final Register status;
  private final long pending;
  private final Register control;
  private final Register data;
  private final Register address;
  private final Register upper;

  private Event(
      VtdIommu unit,
      Register status,
      long pending,
      Register control,
      Register data,
      Register address,
      Register upper) {
    this.unit = unit;
    this.status = status;
    this.pending = pending;
    this.control = control;
    this.data = data;
    this.address = address;
    this.upper = upper;
  }

  static Event fault(VtdIommu unit) {
    long pending =
        Registers.PFO.mask()
            | Registers.PPF.mask()
            | Registers.IQE.mask()
            | Registers.ICE.mask()
            | Registers.ITE.mask();
    return new Event(
        unit,
        Registers.FSTS,
        pending,
        Registers.FECTL,
        Registers.FEDATA,
        Registers.FEADDR,
        Registers.FEUADDR);
  }

  static Event invalidation(VtdIommu unit) {
    return new Event(
        unit,
        Registers.ICS,
        Registers.IWC.mask(),
        Registers.IECTL,
        Registers.IEDATA,
        Registers.IEADDR,
        Registers.IEUADDR);
  }

  static Event pageRequest(VtdIommu unit) {
    return new Event(
        unit,
        Registers.PRS,
        Registers.PPR.mask() | Registers.PRO.mask(),
        Registers.PECTL,
        Registers.PEDATA,
        Registers.PEADDR,
        Registers.PEUADDR);
  }

  static Event performance(VtdIommu unit) {
    return new Event(
        unit,
        Registers.PERFINTRSTS,
        Registers.PIS.mask(),
        Registers.PERFINTRCTL,
        Registers.PERFINTRDATA,
        Registers.PERFINTRADDR,
        Registers.PERFINTRUADDR);
  }

  /** Sets status bits; a message announces them, unless some were set before. */
  void raise(long bits) {
    RegisterFile r = unit.registers();
    long before = r.get(status);
    r.post(status, before | bits);
    if ((before & pending) == 0) {
      r.post(control, Registers.IP, 1);
      send(r);
    }
  }

  /** IM may have gone from 1 to 0. */
  void controlWritten() {
    send(unit.registers());
  }

  /** Status bits may have gone: without any, nothing is left to announce. */
  void serviced() {
    RegisterFile r = unit.registers();
    if ((r.get(status) & pending) == 0) {
      r.post(control, Registers.IP, 0);
    }
  }

  private void send(RegisterFile r) {
    if (r.get(control, Registers.IP) == 0 || r.get(control, Registers.IM) != 0) {
      return;
    }
    r.post(control, Registers.IP, 0);
    long to = r.get(upper) << 32 | r.get(address);
    // Choice: other registers than those that take interrupts are no place for a message. What they
    // do could need the lock that is held here, or another device's that waits for it.
    if (Setup.interrupt(r.get(address)) || !unit.host().memory().isDevice(to)) {
      // Nobody hears of a message that nobody takes.
      unit.host().interrupts().deliver(to, (int) r.get(data));
    }
  }
}
