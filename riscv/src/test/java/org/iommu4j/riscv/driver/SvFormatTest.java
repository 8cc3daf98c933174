package org.iommu4j.riscv.driver;

import static org.assertj.core.api.Assertions.assertThat;

import org.iommu4j.core.dma.Access;
import org.iommu4j.driver.support.PageSizes;
import org.iommu4j.riscv.layout.DeviceContext;
import org.junit.jupiter.api.Test;

class SvFormatTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final SvFormat SV39 = new SvFormat(DeviceContext.IOSATP_SV39, 3, 9, true);
  private static final SvFormat SV57X4 = new SvFormat(DeviceContext.IOHGATP_SV57X4, 5, 11, false);

  @Test
  void entries_are_as_the_privileged_architecture_draws_them() {
    assertThat(SV39.leaf(0x8021_1000L, 12, RW)).isEqualTo(0x2008_44d7L);
    assertThat(SV39.leaf(0x8021_1000L, 12, Access.READ)).isEqualTo(0x2008_4453L);
    assertThat(SV39.leaf(0x8021_0000L, 16, RW)).isEqualTo(0x8000_0000_2008_60d7L);
    assertThat(SV39.table(0x8020_0000L, 0)).isEqualTo(0x2008_0001L);
  }

  @Test
  void who_may_write_may_read_and_execution_is_its_own() {
    assertThat(SV39.leaf(0, 12, Access.WRITE)).isEqualTo(SV39.leaf(0, 12, RW));
    assertThat(SV39.leaf(0, 12, Access.EXECUTE) & 0xf).isEqualTo(0b1001);
    assertThat(SV39.leaf(0, 12, RW | Access.EXECUTE) & 0xf).isEqualTo(0b1111);
  }

  @Test
  void accessed_and_dirty_are_left_to_hardware_if_it_can() {
    assertThat(SV57X4.leaf(0x8021_1000L, 12, RW)).isEqualTo(0x2008_4417L);
  }

  @Test
  void sizes_follow_from_the_levels() {
    assertThat(PageSizes.describe(SV39.pageSizes())).isEqualTo("4K, 64K, 2M, 1G");
    assertThat(PageSizes.describe(SV57X4.pageSizes())).isEqualTo("4K, 64K, 2M, 1G, 512G, 256T");
    assertThat(SV39.addressBits()).isEqualTo(39);
    assertThat(SV57X4.addressBits()).isEqualTo(59);
  }

  @Test
  void a_page_made_smaller_keeps_permissions_and_bits() {
    long large = SV39.leaf(0x8020_0000L, 21, RW);
    assertThat(SV39.resized(large, 0x8021_0000L, 16)).isEqualTo(SV39.leaf(0x8021_0000L, 16, RW));
    long napot = SV57X4.leaf(0x8021_0000L, 16, Access.READ) | 1 << 6;
    assertThat(SV57X4.resized(napot, 0x8021_5000L, 12))
        .isEqualTo(SV57X4.leaf(0x8021_5000L, 12, Access.READ) | 1 << 6);
    assertThat(SV57X4.address(napot, 0)).isEqualTo(0x8021_0000L);
    assertThat(SV57X4.leafShift(napot, 0)).isEqualTo(16);
  }
}
