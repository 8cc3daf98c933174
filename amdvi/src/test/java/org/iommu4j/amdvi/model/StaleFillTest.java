package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.IOVA;

import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.Translation;
import org.junit.jupiter.api.Test;

/** What began before a change fills no cache after it, and what depended on it is gone. */
class StaleFillTest {
  /** A thread that no window accounts for may be as slow as it likes: an interrupt's. */
  @Test
  void an_entry_of_a_table_that_moved_is_not_kept() {
    try (Rig rig = Rig.standard().start()) {
      new Tables(rig).host();
      AmdviIommu unit = (AmdviIommu) rig.unit;
      Setup before = unit.setup();
      rig.write(Registers.DEVICE_TABLE, rig.frames(16) | 15);
      rig.invalidateAll();
      Workspace w = unit.attached(new Translation());
      Translator.begin(before, w, DEVICE, -1);
      assertThat(DeviceTable.locate(before, w)).isNull();
      assertThat(w.device.valid).isTrue();
      // V = 0 in the new table: it passes.
      assertThat(rig.reads(DEVICE, IOVA)).isTrue();
      assertThat(rig.translation.pa()).isEqualTo(IOVA);
    }
  }
}
