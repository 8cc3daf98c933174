package org.iommu4j.amdvi.layout;

import static org.iommu4j.core.bits.Field.Kind.RO;
import static org.iommu4j.core.bits.Field.bit;
import static org.iommu4j.core.bits.Field.bits;

import java.util.List;
import org.iommu4j.core.bits.Field;
import org.iommu4j.core.bits.Register;

/**
 * The unit's vendor-specific capability in PCI configuration space: where the apertures of virtual
 * IOMMUs are; offsets are from its beginning.
 *
 * <p>Source: as AMD's Linux driver reads it ("iommu/amd: Initialize vIOMMU private address space
 * regions"); the first word is PCI's.
 */
public final class VendorCapability {
  /** Bytes of the capability. */
  public static final int BYTES = 0x18;

  /** CapId of vendor-specific capabilities. PCI Local Bus 3.0, appendix H. */
  public static final int VENDOR_SPECIFIC = 9;

  public static final Field CAP_ID = bits("CapId", 7, 0).as(RO);
  public static final Field CAP_PTR = bits("CapPtr", 15, 8).as(RO);
  public static final Field CAP_LENGTH = bits("CapLength", 23, 16).as(RO);
  public static final Register HEADER =
      Register.of32("Vendor-Specific Capability Header", 0x00, CAP_ID, CAP_PTR, CAP_LENGTH);

  /** Firmware has placed the aperture. */
  public static final Field ENABLE = bit("Enable", 0).as(RO);

  public static final Field BASE_LOW = bits("BaseAddress", 31, 1).as(RO);
  public static final Field BASE_HIGH = bits("BaseAddress", 31, 0).as(RO);
  public static final Register VF_LOW = Register.of32("VF Base Low", 0x08, ENABLE, BASE_LOW);
  public static final Register VF_HIGH = Register.of32("VF Base High", 0x0c, BASE_HIGH);
  public static final Register VF_CONTROL_LOW =
      Register.of32("VF Control Base Low", 0x10, ENABLE, BASE_LOW);
  public static final Register VF_CONTROL_HIGH =
      Register.of32("VF Control Base High", 0x14, BASE_HIGH);

  /** In the order of their offsets. */
  public static final List<Register> ALL =
      List.of(HEADER, VF_LOW, VF_HIGH, VF_CONTROL_LOW, VF_CONTROL_HIGH);

  private VendorCapability() {}
}
