package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;

/**
 * Where the function's MSIs go: the state of its MSI capability, which configuration space shows
 * and, with EFR.MsiCapMmioSup, the register page, too. 48882, "MSI Capability Registers". State
 * lock held.
 */
final class MsiCapability {
  private static final int HEADER = 0;
  private static final int LOW = 1;
  private static final int HIGH = 2;
  private static final int DATA = 3;

  private final long[] values = new long[4];

  /** Adds a view of the capability to a register file. */
  void addTo(RegisterFile file, Register header, Register low, Register high, Register data) {
    add(file, header, HEADER);
    add(file, low, LOW);
    add(file, high, HIGH);
    add(file, data, DATA);
  }

  private void add(RegisterFile file, Register register, int n) {
    long writable = register.mask(Field.Kind.RW);
    file.add(
        register,
        0,
        null,
        (before, after, written) -> values[n] = after & writable,
        stored -> values[n] | stored & ~writable);
  }

  /** Takes what a capture of the register page shows. */
  void restore(RegisterImage image) {
    values[HEADER] = Registers.MSI_EN.in(image.get32(Registers.MSI_CAPABILITY.offset()));
    values[LOW] = Registers.MSI_ADDRESS.in(image.get32(Registers.MSI_ADDRESS_LOW.offset()));
    values[HIGH] = Registers.MSI_UPPER.in(image.get32(Registers.MSI_ADDRESS_HIGH.offset()));
    values[DATA] = Registers.MSI_DATA_FIELD.in(image.get32(Registers.MSI_DATA.offset()));
  }

  boolean enabled() {
    return Registers.MSI_EN.isSet(values[HEADER]);
  }

  long address() {
    return values[HIGH] << 32 | values[LOW];
  }

  int data() {
    return (int) values[DATA];
  }
}
