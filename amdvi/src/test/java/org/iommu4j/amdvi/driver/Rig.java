package org.iommu4j.amdvi.driver;

import org.iommu4j.core.bits.Field;
import org.iommu4j.driver.testing.DriverRig;

/** An AMD-Vi unit, memory, and the driver. */
final class Rig extends DriverRig {
  static final long RAM = 0x1_0000_0000L;
  static final long DATA = RAM + FRAME_BYTES;

  /** Where the unit's own messages go. */
  static final long DOORBELL = 0xfee0_3000L;

  /** How a rig is put together. */
  static final class Builder extends DriverRig.Builder<Builder> {
    private long efr = standard("amdvi", "efr");

    private Builder() {
      super("amdvi", RAM, DOORBELL);
    }

    /** Changes a feature of the unit. */
    Builder efr(Field field, long value) {
      efr = field.set(efr, value);
      return register("efr", efr);
    }

    @Override
    public Rig build() {
      return new Rig(this);
    }
  }

  static Builder with() {
    return new Builder();
  }

  private Rig(Builder b) {
    super(b);
  }
}
