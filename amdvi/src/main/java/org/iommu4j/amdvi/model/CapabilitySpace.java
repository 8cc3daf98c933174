package org.iommu4j.amdvi.model;

import org.iommu4j.amdvi.layout.CapabilityBlock;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.VendorCapability;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.bits.RegisterFile;
import org.iommu4j.core.memory.Mmio;

/**
 * The unit's capability block as the CPU sees it in PCI configuration space; offsets are from its
 * beginning. Setting Enable locks the base address. 48882, "IOMMU PCI Capability Block".
 *
 * <p>Choice: the function's MSI capability lies behind it, and with vIOMMUSup the vendor-specific
 * capability at 28h. The embedding program gives each CapPtr, as it alone knows where the first is.
 * Accesses have 4 bytes.
 */
final class CapabilitySpace implements Mmio {
  /** Where the vendor-specific capability begins. */
  static final int VENDOR = CapabilityBlock.BYTES_WITH_MSI;

  private final RegisterFile file = new RegisterFile(CapabilityBlock.BYTES_WITH_MSI);
  private final RegisterFile vendor = new RegisterFile(VendorCapability.BYTES);
  private final Object state;

  CapabilitySpace(AmdviIommu unit) {
    UnitConfig config = unit.config();
    state = unit.state();
    file.add(CapabilityBlock.HEADER, config.header() & 0xffff_ffffL);
    file.add(
        CapabilityBlock.BASE_LOW,
        config.base() & 0xffff_ffffL,
        (b, w) -> enabled() ? b : w,
        null,
        null);
    file.add(
        CapabilityBlock.BASE_HIGH, config.base() >>> 32, (b, w) -> enabled() ? b : w, null, null);
    file.add(CapabilityBlock.RANGE, 0);
    file.add(CapabilityBlock.MISC_0, config.misc0() & 0xffff_ffffL);
    file.add(CapabilityBlock.MISC_1, config.misc1() & 0xffff_ffffL);
    unit.msi()
        .addTo(
            file,
            CapabilityBlock.MSI_HEADER,
            CapabilityBlock.MSI_ADDRESS_LOW,
            CapabilityBlock.MSI_ADDRESS_HIGH,
            CapabilityBlock.MSI_DATA);
    file.post(
        CapabilityBlock.MSI_HEADER,
        CapabilityBlock.MSI_CAP_ID.of(CapabilityBlock.MSI) | CapabilityBlock.MSI_64_BIT.mask());
    if (config.has(ExtendedFeatures.VIOMMU_SUP)) {
      vendor.add(
          VendorCapability.HEADER,
          VendorCapability.CAP_ID.of(VendorCapability.VENDOR_SPECIFIC)
              | VendorCapability.CAP_LENGTH.of(VendorCapability.BYTES));
      aperture(VendorCapability.VF_LOW, VendorCapability.VF_HIGH, config.vfBase());
      aperture(
          VendorCapability.VF_CONTROL_LOW,
          VendorCapability.VF_CONTROL_HIGH,
          config.vfControlBase());
    }
  }

  private void aperture(Register low, Register high, long base) {
    boolean placed = base != 0;
    vendor.add(low, base & 0xffff_ffffL | (placed ? VendorCapability.ENABLE.mask() : 0));
    vendor.add(high, base >>> 32);
  }

  private boolean enabled() {
    return file.get(CapabilityBlock.BASE_LOW, CapabilityBlock.ENABLE) != 0;
  }

  @Override
  public long read(long offset, int size) {
    synchronized (state) {
      return offset >= VENDOR ? vendor.read(offset - VENDOR, size) : file.read(offset, size);
    }
  }

  @Override
  public void write(long offset, int size, long value) {
    synchronized (state) {
      if (offset >= VENDOR) {
        vendor.write(offset - VENDOR, size, value);
      } else {
        file.write(offset, size, value);
      }
    }
  }
}
