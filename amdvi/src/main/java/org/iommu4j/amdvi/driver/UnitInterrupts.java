package org.iommu4j.amdvi.driver;

import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.driver.DriverHost;
import org.iommu4j.driver.support.PcMessage;
import org.iommu4j.driver.support.Unit;

/** The messages by which the unit tells of its logs. 48882, "IOMMU Interrupt Support". */
final class UnitInterrupts {
  private final Unit unit;
  private final ControlRegister control;
  private final Plan plan;

  UnitInterrupts(Unit unit, ControlRegister control, Plan plan) {
    this.unit = unit;
    this.control = control;
    this.plan = plan;
  }

  /** Where they go. Without a place, or if it can be told in configuration space only, nowhere. */
  void start(DriverHost host) {
    if (host.messageAddress() == 0) {
      return;
    }
    PcMessage m = PcMessage.of(host.messageAddress(), host.messageData());
    if (plan.has(ExtendedFeatures.XT_SUP)) {
      long xt =
          Registers.XT_DM.of(m.logical() ? 1 : 0)
              | Registers.XT_DEST_LOW.of(m.destination())
              | Registers.XT_DEST_HIGH.of(m.destination() >>> 24)
              | Registers.XT_VECTOR.of(m.vector());
      unit.write(Registers.XT_GENERAL, xt);
      unit.write(Registers.XT_PPR, xt);
      if (plan.postsInterrupts()) {
        unit.write(Registers.XT_GA, xt);
      }
      control.set(Control.INT_CAP_XT_EN, true);
    } else if (plan.has(ExtendedFeatures.MSI_CAP_MMIO_SUP)) {
      unit.write(Registers.MSI_ADDRESS_LOW, host.messageAddress() & 0xffff_ffffL);
      unit.write(Registers.MSI_ADDRESS_HIGH, host.messageAddress() >>> 32);
      unit.write(Registers.MSI_DATA, host.messageData());
      unit.write(Registers.MSI_CAPABILITY, Registers.MSI_EN.mask());
    } else {
      return; // the MSI capability lies in configuration space alone
    }
    control.set(Control.EVENT_INT_EN, true);
    control.set(Control.PPR_INT_EN, plan.settings().pri());
    control.set(Control.GA_INT_EN, plan.postsInterrupts());
  }

  void stop() {
    control.set(Control.EVENT_INT_EN, false);
    control.set(Control.PPR_INT_EN, false);
    control.set(Control.GA_INT_EN, false);
  }
}
