package org.iommu4j.riscv.driver;

import org.iommu4j.core.bits.Field;
import org.iommu4j.core.memory.Mmio;
import org.iommu4j.driver.testing.DriverRig;
import org.iommu4j.riscv.layout.Capabilities;

/** A RISC-V IOMMU, memory, a place where messages arrive, and the driver. */
final class Rig extends DriverRig {
  static final long RAM = 0x8000_0000L;
  static final long DATA = RAM + FRAME_BYTES;

  /** Where the unit's own messages arrive. */
  static final long DOORBELL = 0x2800_0000L;

  /** Everything that a driver could want, version 1.0, PAS 56, messages and wires. */
  static final long BASE =
      Capabilities.VERSION.of(0x10)
          | Capabilities.PAS.of(56)
          | Capabilities.IGS.of(Capabilities.IGS_BOTH);

  /** How a rig is put together. */
  static final class Builder extends DriverRig.Builder<Builder> {
    private Builder() {
      super("riscv", RAM, DOORBELL);
    }

    Builder capabilities(long base, Field... more) {
      long all = base;
      for (Field f : more) {
        all |= f.mask();
      }
      return register("capabilities", all);
    }

    @Override
    public Rig build() {
      return new Rig(this);
    }
  }

  static Builder with() {
    return new Builder();
  }

  /** A message at the doorbell. */
  static Message message(int data) {
    return new Message(DOORBELL, data);
  }

  private Rig(Builder b) {
    super(b);
    memory.addDevice(
        DOORBELL,
        4096,
        new Mmio() {
          @Override
          public long read(long offset, int size) {
            return 0;
          }

          @Override
          public void write(long offset, int size, long value) {
            messages.add(new Message(DOORBELL + offset, (int) value));
          }
        });
  }
}
