package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.GVA;
import static org.iommu4j.amdvi.model.Tables.PASID;

import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Reason;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** PASmax: how many bits of a PASID the unit takes. */
class PasidLimitTest {
  /** The field goes up to 32 bits, and a shift by 32 is one by 0. */
  @ParameterizedTest
  @CsvSource({"15, false", "16, true", "19, true", "31, true"})
  void a_pasid_is_as_wide_as_the_feature_says(int most, boolean reaches) {
    try (Rig rig = Rig.with().efr(ExtendedFeatures.PAS_MAX, most).build().start()) {
      new Tables(rig).guest();
      assertThat(rig.reads(DEVICE, PASID, GVA)).isEqualTo(reaches);
      if (!reaches) {
        assertThat(rig.reason()).isEqualTo(Reason.GCR3_INVALID);
      }
    }
  }
}
