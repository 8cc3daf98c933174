package org.iommu4j.riscv.driver;

import static org.assertj.core.api.Assertions.assertThat;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.riscv.layout.Cause;
import org.junit.jupiter.api.Test;

class DriverTest {
  private static final int RW = Access.READ | Access.WRITE;
  private static final int DEVICE = 0x08;

  @Test
  void a_device_reaches_what_is_mapped_and_nothing_else() {
    try (Rig rig = Rig.with().build();
        DmaPort port = rig.port(DEVICE)) {
      assertThat(port.readLong(0x1000)).isFalse();
      assertThat(rig.newFaults())
          .extracting(Fault::reason)
          .containsExactly(Cause.DDT_ENTRY_NOT_VALID);
      Domain domain = rig.driver.createDomain(DomainType.DMA_STRICT);
      domain.attach(DEVICE);
      domain.map(0x1000, Rig.DATA, 0x1000, RW);
      rig.memory.writeLong(Rig.DATA + 8, 42);
      assertThat(port.readLong(0x1008)).isTrue();
      assertThat(port.value()).isEqualTo(42);
      assertThat(domain.unmap(0x1000, 0x1000)).isEqualTo(0x1000);
      assertThat(port.readLong(0x1008)).isFalse();
      assertThat(rig.newFaults()).extracting(Fault::reason).containsExactly(Cause.READ_PAGE_FAULT);
      domain.close();
    }
  }
}
