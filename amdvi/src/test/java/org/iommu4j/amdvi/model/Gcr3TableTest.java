package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.GVA;
import static org.iommu4j.amdvi.model.Tables.PASID;

import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.Reason;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whose address the GCR3 table pointer of a device table entry is. */
class Gcr3TableTest {
  /** The table's place, which the host's tables do not map. */
  private static Tables unmapped(Rig rig) {
    Tables tables = new Tables(rig).nested();
    rig.store(tables.slot(tables.gcr3, 1), 0);
    rig.store(tables.slot(tables.gcr3Slot(PASID) & -4096L, 1), 0);
    return tables;
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void without_the_mode_it_is_the_hosts_and_no_table_leads_to_it(String cache) {
    try (Rig rig = Rig.standard(cache).start()) {
      unmapped(rig);
      assertThat(rig.reads(DEVICE, PASID, GVA)).isTrue();
      assertThat(rig.reads(DEVICE, PASID, GVA)).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "normal", "worst-case"})
  void with_the_mode_it_is_the_guests(String cache) {
    try (Rig rig = Rig.standard(cache).start().control(Control.GCR3_TRP_MODE, 1)) {
      Tables tables = unmapped(rig);
      assertThat(rig.reads(DEVICE, PASID, GVA)).isFalse();
      assertThat(rig.reason()).isEqualTo(Reason.NOT_PRESENT);
      assertThat(rig.events()).singleElement().matches(e -> e.second() == tables.gcr3 + 8 * 128);
    }
  }
}
