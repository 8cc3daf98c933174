package org.iommu4j.amdvi.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.iommu4j.amdvi.layout.Registers;
import org.iommu4j.core.dma.Access;
import org.iommu4j.core.memory.Failure;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.DriverException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A device that could not be moved is attached to nothing, and reaches nothing. */
class FailedMoveTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;

  @ParameterizedTest
  @CsvSource({"host, false", "guest, false", "host, true", "guest, true"})
  void a_device_whose_move_failed_reaches_nothing_that_is_unmapped_later(
      String tables, boolean close) {
    try (Rig rig = Rig.with().driver("tables", tables).unit("cache", "worst-case").build()) {
      Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
      one.map(0x3000, Rig.DATA, 0x1000, RW);
      one.attach(DEVICE);
      assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isTrue();
      // The first command cannot be fetched: the unit stops, and what follows is dropped.
      long base = Registers.RING_BASE.in(rig.unit.read(Registers.COMMAND_BUFFER.offset(), 8));
      rig.memory.inject(base, 0x2000, Failure.POISON);
      assertThatThrownBy(() -> two.attach(DEVICE)).isInstanceOf(DriverException.class);
      rig.memory.clearInjections();
      assertThat(rig.driver.domainOf(DEVICE).type()).isEqualTo(DomainType.BLOCKED);
      if (close) {
        one.close();
      } else {
        one.unmap(0x3000, 0x1000);
      }
      assertThat(rig.translate(DEVICE, 0x3000, Access.READ)).isFalse();
    }
  }

  /** Uses up all table memory. */
  private static List<Long> exhaust(Rig rig) {
    List<Long> taken = new ArrayList<>();
    while (true) {
      try {
        taken.add(rig.frames.allocate(4096));
      } catch (DriverException e) {
        return taken;
      }
    }
  }

  @Test
  void a_device_that_could_not_get_one_more_pasid_has_none_that_it_had() {
    try (Rig rig = Rig.with().unit("cache", "worst-case").build()) {
      Domain one = rig.driver.createDomain(DomainType.DMA_STRICT);
      Domain two = rig.driver.createDomain(DomainType.DMA_STRICT);
      one.map(0x3000, Rig.DATA, 0x1000, RW);
      one.attach(DEVICE, 5);
      assertThat(rig.translate(DEVICE, 5, 0x3000, Access.READ)).isTrue();
      List<Long> taken = exhaust(rig);
      int far = (1 << rig.driver.capabilities().pasidBits()) - 1;
      assertThatThrownBy(() -> two.attach(DEVICE, far))
          .isInstanceOf(DriverException.class)
          .hasMessageContaining("no more table memory");
      taken.forEach(at -> rig.frames.free(at, 4096));
      two.attach(DEVICE, 6);
      assertThat(rig.translate(DEVICE, 5, 0x3000, Access.READ)).isFalse();
      two.attach(DEVICE, 5);
      assertThat(rig.translate(DEVICE, 5, 0x3000, Access.READ)).isFalse();
    }
  }
}
