package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.core.RegisterImage;
import org.iommu4j.core.dma.Host;
import org.iommu4j.core.dma.Iommu;
import org.iommu4j.core.iotlb.CacheBehaviour;
import org.iommu4j.core.memory.PhysicalMemory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RestoreTest {
  private static Iommu restore(long segments, long supported) {
    long efr = ExtendedFeatures.DEV_TBL_SEG_SUP.of(supported);
    long control = Control.DEV_TBL_SEG_EN.of(segments);
    int features = ExtendedFeatures.REGISTER.offset();
    RegisterImage image =
        new RegisterImage(
            "ivhd0",
            0xfed8_0000L,
            Map.of(
                features,
                (int) efr,
                features + 4,
                (int) (efr >>> 32),
                Control.REGISTER.offset(),
                (int) control,
                Control.REGISTER.offset() + 4,
                (int) (control >>> 32)));
    try (PhysicalMemory memory = new PhysicalMemory()) {
      return Units.restore(image, CacheBehaviour.NORMAL, Host.of(memory));
    }
  }

  @ParameterizedTest
  @CsvSource({"1,0", "2,1", "4,3", "7,3"})
  void more_segments_than_the_unit_has_are_refused(long segments, long supported) {
    assertThatThrownBy(() -> restore(segments, supported))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(
            "unit 'ivhd0': DevTblSegEn is %d, and by DevTblSegSup at most %d"
                .formatted(segments, supported));
  }

  @Test
  void as_many_as_the_unit_has_are_taken() {
    assertThat(restore(3, 3)).isNotNull();
    assertThat(restore(0, 0)).isNotNull();
  }
}
