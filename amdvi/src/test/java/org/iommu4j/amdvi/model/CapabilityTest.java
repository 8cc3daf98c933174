package org.iommu4j.amdvi.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.iommu4j.amdvi.model.Tables.IOVA;

import org.iommu4j.amdvi.layout.CapabilityBlock;
import org.iommu4j.amdvi.layout.Control;
import org.iommu4j.amdvi.layout.ExtendedFeatures;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.bits.Register;
import org.iommu4j.core.memory.Mmio;
import org.junit.jupiter.api.Test;

/** The function's configuration space. */
class CapabilityTest {
  private static final long ADDRESS = 0xfee0_5000L;
  private static final int DATA = 0x41;

  private static void write(Rig rig, Register r, long value) {
    space(rig).write(r.offset(), 4, value);
  }

  private static long read(Rig rig, Register r) {
    return space(rig).read(r.offset(), 4);
  }

  private static Mmio space(Rig rig) {
    Mmio space = rig.unit.configuration();
    assertThat(space).isNotNull();
    return space;
  }

  private static void msi(Rig rig) {
    write(rig, CapabilityBlock.MSI_ADDRESS_LOW, ADDRESS);
    write(rig, CapabilityBlock.MSI_ADDRESS_HIGH, 0);
    write(rig, CapabilityBlock.MSI_DATA, DATA);
    write(rig, CapabilityBlock.MSI_HEADER, Registers.MSI_EN.mask());
  }

  @Test
  void messages_go_where_configuration_space_says() {
    try (Rig rig = Rig.with().efr(ExtendedFeatures.MSI_CAP_MMIO_SUP, 0).build()) {
      rig.start();
      msi(rig);
      rig.control(Control.EVENT_INT_EN, 1);
      rig.reads(0x900, IOVA);
      assertThat(rig.messages).containsExactly(new Rig.Message(ADDRESS, DATA));
      assertThat(rig.read(Registers.MSI_ADDRESS_LOW)).isZero();
    }
  }

  @Test
  void registers_mirror_it_if_the_unit_says_so() {
    try (Rig rig = Rig.standard()) {
      msi(rig);
      assertThat(rig.read(Registers.MSI_ADDRESS_LOW)).isEqualTo(ADDRESS);
      assertThat(rig.read(Registers.MSI_DATA)).isEqualTo(DATA);
      assertThat(rig.read(Registers.MSI_CAPABILITY, Registers.MSI_EN)).isEqualTo(1);
      rig.write(Registers.MSI_DATA, 0x52);
      rig.write(Registers.MSI_CAPABILITY, 0);
      assertThat(read(rig, CapabilityBlock.MSI_DATA)).isEqualTo(0x52);
      assertThat(read(rig, CapabilityBlock.MSI_HEADER)).isEqualTo(0x0080_0005L);
    }
  }

  @Test
  void enable_locks_the_base_address() {
    try (Rig rig = Rig.standard()) {
      write(rig, CapabilityBlock.BASE_LOW, 0xfeb8_0000L);
      write(rig, CapabilityBlock.BASE_LOW, 0xfeb8_0001L);
      write(rig, CapabilityBlock.BASE_LOW, 0);
      write(rig, CapabilityBlock.BASE_HIGH, 1);
      assertThat(read(rig, CapabilityBlock.BASE_LOW)).isEqualTo(0xfeb8_0001L);
      assertThat(read(rig, CapabilityBlock.BASE_HIGH)).isZero();
      assertThat(read(rig, CapabilityBlock.HEADER)).isEqualTo(Rig.HEADER);
    }
  }
}
