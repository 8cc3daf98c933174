package org.iommu4j.core.unit;

import static org.assertj.core.api.Assertions.assertThat;

import org.iommu4j.core.iotlb.Iotlb;
import org.junit.jupiter.api.Test;

class TablePointerTest {
  @Test
  void what_is_kept_comes_back() {
    long table = 0xff_ffff_ffff_f000L;
    for (int shift : new int[] {12, 21, 48, 57}) {
      for (int carried = 0; carried < 16; carried++) {
        long pointer = TablePointer.of(table, shift, carried);
        assertThat(TablePointer.table(pointer)).isEqualTo(table);
        assertThat(TablePointer.entryShift(pointer)).isEqualTo(shift);
        assertThat(TablePointer.carried(pointer)).isEqualTo(carried);
      }
    }
  }

  @Test
  void a_table_at_address_0_is_told_from_a_miss() {
    assertThat(TablePointer.of(0, 0, 0)).isNotEqualTo(Iotlb.MISS);
  }
}
