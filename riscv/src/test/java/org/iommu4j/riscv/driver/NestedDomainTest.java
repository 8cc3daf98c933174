package org.iommu4j.riscv.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.core.dma.Fault;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.riscv.layout.Cause;
import org.iommu4j.riscv.layout.Pte;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest's first stage over a second stage of the driver's. */
class NestedDomainTest {
  private static final int DEVICE = 0x08;
  private static final int RW = Access.READ | Access.WRITE;

  /** The guest's memory: at 0 for the guest, here in truth. */
  private static final long GUEST = Rig.DATA + 0x100_0000;

  private static final long LEAF =
      Pte.V.mask() | Pte.R.mask() | Pte.W.mask() | Pte.U.mask() | Pte.A.mask() | Pte.D.mask();

  /** In guest-physical memory: root at 0x1000, then 0x2000, 0x3000; IOVA 0 leads to a page. */
  private static void guestMaps(Rig rig, long gpa) {
    rig.memory.writeLong(GUEST + 0x1000, Pte.V.mask() | Pte.PPN.of(2));
    rig.memory.writeLong(GUEST + 0x2000, Pte.V.mask() | Pte.PPN.of(3));
    rig.memory.writeLong(GUEST + 0x3000, LEAF | Pte.PPN.of(gpa >>> 12));
  }

  @ParameterizedTest
  @ValueSource(strings = {"normal", "worst-case", "off"})
  void a_guest_changes_its_table_and_says_so(String cache) {
    try (Rig rig = Rig.with().unit("cache", cache).build();
        DmaPort port = rig.port(DEVICE)) {
      assertThat(rig.driver.capabilities().domainTypes()).contains(DomainType.NESTED);
      Domain parent = rig.driver.createDomain(DomainType.NESTING_PARENT);
      parent.map(0, GUEST, 0x10_0000, RW);
      Domain nested = rig.driver.createNestedDomain(parent, new GuestTable(0x1000, 3));
      guestMaps(rig, 0x5000);
      nested.attach(DEVICE);
      rig.memory.writeLong(GUEST + 0x5000, 5);
      rig.memory.writeLong(GUEST + 0x6000, 6);
      assertThat(port.readLong(0)).isTrue();
      assertThat(port.value()).isEqualTo(5);
      guestMaps(rig, 0x6000);
      nested.invalidate(0, 0x1000, true);
      assertThat(port.readLong(0)).isTrue();
      assertThat(port.value()).isEqualTo(6);
      parent.unmap(0x6000, 0x1000);
      assertThat(port.readLong(0)).isFalse();
      assertThat(rig.newFaults())
          .extracting(Fault::reason)
          .containsExactly(Cause.READ_GUEST_PAGE_FAULT);
      rig.memory.writeLong(GUEST + 0x2000, 0);
      nested.invalidate(0, 0, false);
      assertThat(port.readLong(0)).isFalse();
      assertThat(rig.newFaults()).extracting(Fault::reason).containsExactly(Cause.READ_PAGE_FAULT);
      assertThatThrownBy(parent::close)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("1 domains are nested");
      nested.close();
      assertThat(port.readLong(0)).isFalse();
      parent.attach(DEVICE);
      assertThat(port.readLong(0x5000)).isTrue();
      assertThat(port.value()).isEqualTo(5);
      parent.close();
      rig.driver.close();
      assertThat(rig.frames.inUse()).isZero();
    }
  }

  @Test
  void what_cannot_be_nested_is_said() {
    try (Rig rig = Rig.with().build()) {
      Domain parent = rig.driver.createDomain(DomainType.NESTING_PARENT);
      Domain flat = rig.driver.createDomain(DomainType.DMA_STRICT);
      GuestTable table = new GuestTable(0x1000, 3);
      assertThatThrownBy(() -> rig.driver.createDomain(DomainType.NESTED))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("createNestedDomain");
      assertThatThrownBy(() -> rig.driver.createNestedDomain(flat, table))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("NESTING_PARENT");
      assertThatThrownBy(() -> rig.driver.createNestedDomain(parent, new GuestTable(0, 2)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("2 levels");
      assertThatThrownBy(() -> rig.driver.createNestedDomain(parent, new GuestTable(0x10, 3)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0x10");
      assertThatThrownBy(() -> flat.invalidate(0, 0, true))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("DMA_STRICT");
      Domain nested = rig.driver.createNestedDomain(parent, table);
      assertThatThrownBy(() -> nested.invalidate(1, 0x1000, true))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0x1");
      assertThatThrownBy(() -> nested.map(0, 0, 0x1000, RW))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("NESTED");
      nested.attach(DEVICE);
      assertThatThrownBy(() -> flat.attach(DEVICE, 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("PASIDs");
      assertThat(rig.driver.domainOf(DEVICE)).as("nothing has changed").isSameAs(nested);
      flat.attach(DEVICE);
      flat.attach(DEVICE, 1);
      assertThatThrownBy(() -> parent.attach(DEVICE))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("PASIDs");
      assertThat(rig.driver.domainOf(DEVICE)).isSameAs(flat);
    }
    try (Rig rig = Rig.with().driver("stage", "nested").build()) {
      assertThatThrownBy(() -> rig.driver.createDomain(DomainType.NESTING_PARENT))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("these can");
    }
  }
}
