package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.GVA;
import static org.iommu4j.amdvi.model.Tables.IOVA;
import static org.iommu4j.amdvi.model.Tables.PASID;

import org.iommu4j.amdvi.layout.DeviceTableEntry;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Reason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Device table entries that are refused as a whole. */
class DeviceEntryTest {
  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void guest_paging_modes_without_meaning_are_reserved(int mode) {
    try (Rig rig = Rig.with().efr(ExtendedFeatures.GATS, 2).build().start()) {
      Tables tables = new Tables(rig).guest();
      assertThat(rig.reads(DEVICE, PASID, GVA)).isTrue();
      tables.set(2, DeviceTableEntry.GUEST_PAGING_MODE, mode);
      rig.submit(Rig.invalidateDevice(DEVICE));
      assertThat(rig.reads(DEVICE, PASID, GVA)).isFalse();
      assertThat(rig.reason()).isEqualTo(Reason.DTE_RESERVED);
    }
  }

  @Test
  void without_host_tables_neither_levels_nor_a_root_are_allowed() {
    try (Rig rig = Rig.with().option("hat_dis", "true").build().start()) {
      Tables tables = new Tables(rig).valid();
      assertThat(rig.reads(DEVICE, IOVA)).isTrue();
      tables.set(0, DeviceTableEntry.ROOT, 0x1234);
      rig.submit(Rig.invalidateDevice(DEVICE));
      assertThat(rig.reads(DEVICE, IOVA)).isFalse();
      assertThat(rig.reason()).isEqualTo(Reason.DTE_MODE);
      tables.set(0, DeviceTableEntry.ROOT, 0).set(0, DeviceTableEntry.MODE, 4);
      rig.submit(Rig.invalidateDevice(DEVICE));
      assertThat(rig.reads(DEVICE, IOVA)).isFalse();
      assertThat(rig.reason()).isEqualTo(Reason.DTE_MODE);
    }
  }
}
