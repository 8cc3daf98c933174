package org.iommu4j.vtd.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.iommu4j.core.dma.Access;
import org.iommu4j.core.dma.DmaPort;
import org.iommu4j.driver.Domain;
import org.iommu4j.driver.DomainType;
import org.iommu4j.driver.GuestTable;
import org.iommu4j.vtd.layout.Capability;
import org.iommu4j.vtd.layout.ExtendedCapability;
import org.iommu4j.vtd.layout.FirstStagePte;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest's first stage over a second stage of the driver's. */
class NestedDomainTest {
  private static final int DEVICE = 0x08;
  private static final int RW = Access.READ | Access.WRITE;

  /** The guest's memory: at 0 for the guest, here in truth. */
  private static final long GUEST = Rig.DATA + 0x100_0000;

  private static final long ENTRY =
      FirstStagePte.P.mask()
          | FirstStagePte.RW.mask()
          | FirstStagePte.US.mask()
          | FirstStagePte.A.mask()
          | FirstStagePte.D.mask();

  /** In guest-physical memory: root at 0x1000, then 0x2000 to 0x4000; IOVA 0 leads to a page. */
  private static void guestMaps(Rig rig, long gpa) {
    for (long table = 0x1000; table < 0x4000; table += 0x1000) {
      rig.memory.writeLong(GUEST + table, ENTRY & ~FirstStagePte.D.mask() | table + 0x1000);
    }
    rig.memory.writeLong(GUEST + 0x4000, ENTRY | gpa);
  }

  @ParameterizedTest
  @ValueSource(strings = {"normal", "worst-case", "off"})
  void a_guest_changes_its_table_and_says_so(String cache) {
    for (int cm = 0; cm < 2; cm++) {
      try (Rig rig = Rig.with().cap(Capability.CM, cm).unit("cache", cache).build();
          DmaPort port = rig.port(DEVICE)) {
        Domain parent = rig.driver.createDomain(DomainType.NESTING_PARENT);
        parent.map(0, GUEST, 0x10_0000, RW);
        Domain nested = rig.driver.createNestedDomain(parent, new GuestTable(0x1000, 4));
        guestMaps(rig, 0x5000);
        nested.attach(DEVICE);
        nested.attach(DEVICE, 3);
        rig.memory.writeLong(GUEST + 0x5000, 5);
        rig.memory.writeLong(GUEST + 0x6000, 6);
        for (int pasid : new int[] {-1, 3}) {
          assertThat(port.pasid(pasid).readLong(0)).isTrue();
          assertThat(port.value()).isEqualTo(5);
        }
        guestMaps(rig, 0x6000);
        nested.invalidate(0, 0x1000, true);
        for (int pasid : new int[] {-1, 3}) {
          assertThat(port.pasid(pasid).readLong(0)).isTrue();
          assertThat(port.value()).isEqualTo(6);
        }
        parent.unmap(0x6000, 0x1000);
        assertThat(port.pasid(3).readLong(0)).isFalse();
        assertThat(port.pasid(-1).readLong(0)).isFalse();
        parent.map(0x6000, GUEST + 0x5000, 0x1000, RW);
        assertThat(port.readLong(0)).isTrue();
        assertThat(port.value()).isEqualTo(5);
        rig.memory.writeLong(GUEST + 0x2000, 0);
        nested.invalidate(0, 0, false);
        assertThat(port.readLong(0)).isFalse();
        assertThatThrownBy(parent::close).isInstanceOf(IllegalStateException.class);
        nested.close();
        parent.attach(DEVICE);
        assertThat(port.readLong(0x5000)).isTrue();
        parent.close();
        rig.driver.close();
        assertThat(rig.frames.inUse()).isZero();
      }
    }
  }

  @Test
  void what_cannot_be_nested_is_said() {
    try (Rig rig = Rig.with().driver("read_only_nested", true).cap(Capability.FS5LP, 0).build()) {
      Domain parent = rig.driver.createDomain(DomainType.NESTING_PARENT);
      assertThatThrownBy(() -> rig.driver.createNestedDomain(parent, new GuestTable(0, 5)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("5 levels");
      assertThatThrownBy(() -> rig.driver.createNestedDomain(parent, new GuestTable(0x10, 4)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0x10");
      assertThatThrownBy(() -> parent.map(0x1000, Rig.DATA, 0x1000, Access.READ))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("772415");
      parent.map(0x1000, Rig.DATA, 0x1000, RW);
      assertThat(parent.mapped()).isEqualTo(0x1000);
    }
    try (Rig rig = Rig.with().ecap(ExtendedCapability.NEST, 0).build()) {
      assertThat(rig.driver.capabilities().domainTypes()).doesNotContain(DomainType.NESTED);
      assertThatThrownBy(() -> rig.driver.createDomain(DomainType.NESTING_PARENT))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("these can");
    }
  }
}
