package org.iommu4j.amdvi.model;

import java.util.Arrays;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.dma.InterruptBus;

/**
 * The unit's own interrupts: status bits in, messages out. 48882, "IOMMU Interrupt Support". Called
 * with the state lock held.
 *
 * <p>With Control.IntCapXTEn the XT registers say where to; else the MSI capability does. Such
 * messages are not remapped.
 */
final class Signals {
  /** The interrupts that a unit has: whose they are, and what enables them. */
  enum Source {
    EVENT_LOG(
        Control.EVENT_INT_EN,
        Registers.XT_GENERAL,
        Registers.EVENT_LOG_INT,
        Registers.EVENT_OVERFLOW,
        Registers.EVENT_OVERFLOW_B),
    COMPLETION_WAIT(Control.COM_WAIT_INT_EN, Registers.XT_GENERAL, Registers.COM_WAIT_INT),
    PPR_LOG(
        Control.PPR_INT_EN,
        Registers.XT_PPR,
        Registers.PPR_INT,
        Registers.PPR_OVERFLOW,
        Registers.PPR_OVERFLOW_B),
    GA_LOG(Control.GA_INT_EN, Registers.XT_GA, Registers.GA_INT, Registers.GA_LOG_OVERFLOW);

    private static final Source[] ALL = values();

    private final Field enable;
    private final Register xt;

    /** The bits of Status that say that it wants an interrupt. */
    private final long pending;

    Source(Field enable, Register xt, Field... pending) {
      this.enable = enable;
      this.xt = xt;
      this.pending = Arrays.stream(pending).mapToLong(Field::mask).reduce(0, (a, b) -> a | b);
    }
  }

  private final AmdviIommu unit;

  Signals(AmdviIommu unit) {
    this.unit = unit;
  }

  /** Sets a status bit; a message goes out if it was clear and the source is enabled. */
  void raise(Field status, Source source) {
    RegisterFile r = unit.registers();
    boolean was = r.get(Registers.STATUS, status) != 0;
    r.post(Registers.STATUS, status, 1);
    if (!was && r.get(Control.REGISTER, source.enable) != 0) {
      send(r, source);
    }
  }

  /**
   * Control has changed: what is pending when a source is enabled goes out. Inferred: an interrupt
   * is status and enable together, whichever comes last. Otherwise an event that is logged before
   * software turns interrupts on would keep every later one from being told.
   */
  void enabled(long before, long after) {
    RegisterFile r = unit.registers();
    for (Source source : Source.ALL) {
      boolean rises = source.enable.isSet(after) && !source.enable.isSet(before);
      if (rises && (r.get(Registers.STATUS) & source.pending) != 0) {
        send(r, source);
      }
    }
  }

  private void send(RegisterFile r, Source source) {
    if (r.get(Control.REGISTER, Control.INT_CAP_XT_EN) != 0) {
      long xt = r.get(source.xt);
      if (xt == 0) {
        return; // masked
      }
      int destination = Registers.XT_DEST_LOW.getInt(xt) | Registers.XT_DEST_HIGH.getInt(xt) << 24;
      int data = Registers.XT_VECTOR.getInt(xt) | Registers.XT_MT.getInt(xt) << 8;
      boolean logical = Registers.XT_DM.isSet(xt);
      unit.host().interrupts().deliver(message(destination, logical), data);
      return;
    }
    MsiCapability msi = unit.msi();
    if (msi.enabled()) {
      unit.host().interrupts().deliver(msi.address(), msi.data() | number(source));
    }
  }

  /** Which of the function's messages a source uses. */
  private int number(Source source) {
    UnitConfig c = unit.config();
    return switch (source) {
      case EVENT_LOG, COMPLETION_WAIT -> Registers.MSI_NUM.getInt(c.misc0());
      case PPR_LOG -> Registers.MSI_NUM_PPR.getInt(c.misc0() & 0xffff_ffffL);
      case GA_LOG ->
          c.has(ExtendedFeatures.MSI_CAP_MMIO_SUP)
              ? (int) unit.registers().get(Registers.MSI_VECTOR_1, Registers.MSI_NUM_GA)
              : Registers.MSI_NUM_GA.getInt(c.misc1());
    };
  }

  /** The address of a message to an APIC id. */
  static long message(int destination, boolean logical) {
    return InterruptBus.address(destination) | (logical ? 1 << 2 : 0);
  }
}
