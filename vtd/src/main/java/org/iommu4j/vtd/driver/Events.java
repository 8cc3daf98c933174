package org.iommu4j.vtd.driver;

import org.iommu4j.core.bits.Register;
import org.iommu4j.driver.DriverException;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.support.Unit;
import org.iommu4j.vtd.layout.Registers;

/**
 * How the unit calls for attention. §5.1.6: messages, which are never remapped, for faults and page
 * requests; without an address for them the driver is polled. Completed waits are polled anyway.
 */
final class Events {
  private final Unit unit;
  private final DriverHost host;

  Events(Unit unit, DriverHost host) {
    this.unit = unit;
    this.host = host;
  }

  void startFaults() {
    start(Registers.FECTL, Registers.FEDATA, Registers.FEADDR, Registers.FEUADDR, 0);
  }

  void startPageRequests() {
    start(Registers.PECTL, Registers.PEDATA, Registers.PEADDR, Registers.PEUADDR, 1);
  }

  void stop(boolean pageRequests) {
    unit.write(Registers.FECTL, Registers.IM.mask());
    if (pageRequests) {
      unit.write(Registers.PECTL, Registers.IM.mask());
    }
  }

  private void start(Register control, Register data, Register address, Register upper, int n) {
    long to = host.messageAddress();
    if (to == 0) {
      unit.write(control, Registers.IM.mask());
      return;
    }
    unit.write(data, host.messageData() + n);
    unit.write(address, to & 0xffff_ffffL);
    if (to >>> 32 != 0) {
      unit.write(upper, to >>> 32);
    }
    long stuck = unit.read(address) | (to >>> 32 == 0 ? 0 : unit.read(upper) << 32);
    if (stuck != to) {
      throw new DriverException(
          "%s holds 0x%x after 0x%x was written: messages need an address that the unit can hold"
              .formatted(address.name(), stuck, to));
    }
    unit.write(control, 0);
  }
}
