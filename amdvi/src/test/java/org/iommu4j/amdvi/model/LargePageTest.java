package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.DEVICE;
import static org.iommu4j.amdvi.model.Tables.HOST_RW;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaRequest;
import org.iommu4j.core.dma.Translation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A large page of host tables may have addresses in it that are none of its own, as interrupts: no
 * answer says that it holds for those.
 */
class LargePageTest {
  @ParameterizedTest
  @CsvSource({
    // an address, the page's level, an address of note in the same page
    "off, fec00000, 3, fee00000",
    "normal, fec00000, 3, fee00000",
    "worst-case, fec00000, 3, fee00000",
    "normal, fef00000, 2, fee00000",
    "normal, 9000000000, 4, fd00000000",
    "normal, fcc0000000, 4, fd00000000",
    "worst-case, 9000000000, 4, fd00000000"
  })
  void an_answer_does_not_reach_as_far_as_addresses_of_note(
      String cache, String asked, int level, String note) {
    long iova = Long.parseLong(asked, 16);
    long special = Long.parseLong(note, 16);
    try (Rig rig = Rig.standard(cache).start()) {
      Tables tables = new Tables(rig).host();
      rig.store(tables.slot(iova, level), HOST_RW);
      for (int n = 0; n < 3; n++) { // from tables and from both caches
        assertThat(rig.reads(DEVICE, iova)).isTrue();
        apart(rig.translation, iova, special);
      }
      assertThat(rig.asks(DEVICE, DmaRequest.NO_PASID, iova)).isTrue();
      assertThat(rig.translation.permissions() & Access.WRITE).isNotZero();
      apart(rig.translation, iova, special);
    }
  }

  private static void apart(Translation answer, long iova, long special) {
    int shift = answer.rangeShift();
    assertThat(special >>> shift).as("2^%d bytes", shift).isNotEqualTo(iova >>> shift);
  }
}
