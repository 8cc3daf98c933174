package org.iommu4j.vtd.driver;

import org.iommu4j.core.bits.Field;
import org.iommu4j.driver.testing.DriverRig;

/** A VT-d unit, memory, and the driver. */
final class Rig extends DriverRig {
  static final long RAM = 0x1_0000_0000L;
  static final long DATA = RAM + FRAME_BYTES;

  /** Where the unit's own messages go. */
  static final long DOORBELL = 0xfee0_3000L;

  /** How a rig is put together. */
  static final class Builder extends DriverRig.Builder<Builder> {
    private long cap = standard("vtd", "cap");
    private long ecap = standard("vtd", "ecap");

    private Builder() {
      super("vtd", RAM, DOORBELL);
    }

    /** Changes a field of the capability register. */
    Builder cap(Field field, long value) {
      cap = field.set(cap, value);
      return register("cap", cap);
    }

    /** Changes a field of the extended capability register. */
    Builder ecap(Field field, long value) {
      ecap = field.set(ecap, value);
      return register("ecap", ecap);
    }

    /** The extended capability register as it is so far. */
    long ecap() {
      return ecap;
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
